import { httpAnswers, mysqlAnswers } from '../parts/answers.ts';
import { type ComposeService, dockerPart } from '../parts/docker.ts';
import { MissingProgramError } from '../parts/missing.ts';
import { databaseStatements, type MysqlAccount, mysqlPart } from '../parts/mysql.ts';
import { type MysqlProgram, provideMysqlProgram } from '../parts/mysql-program.ts';
import { nsqdPart, nsqlookupdPart } from '../parts/nsq.ts';
import { type NsqPrograms, provideNsqPrograms } from '../parts/nsq-program.ts';
import type { Part } from '../parts/part.ts';
import type { SystemPorts } from './ports.ts';
import { DATABASE } from './services.ts';
import { CHECKOUT, keptPassword, STATE } from './state.ts';

export type Programs = { mysql: MysqlProgram | undefined; nsq: NsqPrograms | undefined };

/** The machine's own programs, installed or built where it has none; what cannot be had is undefined. */
export async function providePrograms(): Promise<Programs> {
  return { mysql: await provideMysqlProgram(), nsq: await provideNsqPrograms(STATE.programs) };
}

/** MySQL and the two of NSQ: by the machine's programs, else by Docker. Throws MissingProgramError where neither is there. */
export async function outsideParts(programs: Programs, ports: SystemPorts, account: MysqlAccount) {
  const variables = {
    MYSQL_ROOT_PASSWORD: await keptPassword(STATE.rootPasswordFile), // only Docker's MySQL lets root in with one
    MYSQL_PORT: String(ports.mysql),
    MYSQL_DBNAME: DATABASE,
    MYSQL_USERPASSWORD: `${account.user}:${account.password}`,
    NSQD_TCP_PORT: String(ports.nsqdTcp),
    NSQD_HTTP_PORT: String(ports.nsqdHttp),
    NSQLOOKUPD_TCP_PORT: String(ports.lookupTcp),
    NSQLOOKUPD_HTTP_PORT: String(ports.lookupHttp),
  };

  async function inDocker(service: ComposeService, isReady: Part['isReady'], lacking: string): Promise<Part> {
    const part = await dockerPart({ service, checkout: CHECKOUT, variables, isReady });
    if (part) return part;
    throw new MissingProgramError(
      `this machine has no ${lacking} and no way to get it: install it, or Docker with its compose plugin`,
    );
  }

  async function mysql(): Promise<Part> {
    const { port, init } = { port: ports.mysql, init: databaseStatements(DATABASE, account) };
    if (programs.mysql) return mysqlPart({ program: programs.mysql, folder: STATE.mysql, port, init });
    return inDocker('mysql', () => mysqlAnswers(port), 'MySQL (mysqld or mariadbd)');
  }

  async function nsq(): Promise<Part[]> {
    if (programs.nsq) {
      return [nsqlookupdPart(programs.nsq, ports, STATE.data), await nsqdPart(programs.nsq, ports, STATE.nsqd)];
    }
    const answers = (port: number) => () => httpAnswers(`http://127.0.0.1:${port}/ping`);
    const lacking = 'nsqd and nsqlookupd (nor Go, to build them)';
    return [
      await inDocker('nsqlookupd', answers(ports.lookupHttp), lacking),
      await inDocker('nsqd', answers(ports.nsqdHttp), lacking),
    ];
  }

  return { mysql: await mysql(), nsq: await nsq() };
}

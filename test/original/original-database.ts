import type { ResultSetHeader, RowDataPacket, Statements } from '@kube-face/shared-lib/mysql';

/** The tables of the original system as its set-up makes them, with people in them. */
export const ORIGINAL_SCHEMA = [
  'create table images(id int not null auto_increment primary key, path varchar(255) not null, person int, status int)',
  'create table person(id int not null auto_increment primary key, name varchar(255) not null)',
  'create table person_images(id int not null auto_increment primary key, image_name varchar(255), person_id int)',
  "insert into person (name) values ('Hannibal'), ('Skarlso'), ('John Doe')",
  `insert into person_images (image_name, person_id) values
     ('hannibal_1.jpg', 1), ('hannibal_2.jpg', 1), ('skarlso_1.jpg', 2), ('john_doe_1.jpg', 3)`,
];

/** Its own words for what a row is; it knows no processing. */
export const ORIGINAL_STATUS = { pending: 0, processed: 1, failed: 2 } as const;

/** The statements of the original's services, one by one: whatever we do to the tables, these must go on working. */
export function originalDatabase(statements: Statements) {
  return {
    receiver: {
      async isKnown(path: string): Promise<boolean> {
        const rows = await statements.execute<RowDataPacket[]>('select 1 from images where path = ?', [path]);
        return rows.length > 0;
      },
      /** It sends the path as bytes. */
      async save(path: string): Promise<number> {
        const values = [Buffer.from(path), -1, ORIGINAL_STATUS.pending];
        const sql = 'insert into images (path, person, status) values (?, ?, ?)';
        return (await statements.execute<ResultSetHeader>(sql, values)).insertId;
      },
      async load(id: number): Promise<RowDataPacket | undefined> {
        const sql = 'select id, path, person, status from images where id = ?';
        return (await statements.execute<RowDataPacket[]>(sql, [id]))[0];
      },
    },
    processor: {
      /** Undefined: somebody else has it, and the message is done with. */
      async pathOf(id: number): Promise<string | undefined> {
        const sql = 'select path from images where id = ? and status = ?';
        return (await statements.execute<RowDataPacket[]>(sql, [id, ORIGINAL_STATUS.pending]))[0]?.path;
      },
      async personOf(imageName: string): Promise<{ name: string; id: number } | undefined> {
        const sql = `select person.name, person.id from person inner join person_images
                     as pi on person.id = pi.person_id where image_name = ?`;
        const [row] = await statements.execute<RowDataPacket[]>(sql, [imageName]);
        return row && { name: row.name, id: row.id };
      },
      /** It takes a row that did not change for a failure. */
      async setPerson(id: number, person: number): Promise<number> {
        const sql = 'update images set person = ?, status = ? where id = ?';
        return (await statements.execute<ResultSetHeader>(sql, [person, ORIGINAL_STATUS.processed, id])).affectedRows;
      },
      async setFailed(id: number): Promise<number> {
        const sql = 'update images set status = ? where id = ?';
        return (await statements.execute<ResultSetHeader>(sql, [ORIGINAL_STATUS.failed, id])).affectedRows;
      },
    },
    frontend: {
      images: () => statements.query<RowDataPacket[]>('select id, path, person, status from images'),
      /** Its page dies where there is none, unless the id is -1. */
      async nameOf(person: number): Promise<string | undefined> {
        const [row] = await statements.execute<RowDataPacket[]>('select name from person where id = ?', [person]);
        return row?.name;
      },
    },
    retryer: {
      failedPaths: () =>
        statements.execute<RowDataPacket[]>('select path from images where status = ?', [ORIGINAL_STATUS.failed]),
    },
  };
}

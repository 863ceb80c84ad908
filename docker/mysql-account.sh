# Makes the services' account from one string, `user:password`, and lets it touch only its database. MySQL's image runs or
# sources this file with bash, once, on an empty data folder; whether it does either, the shell around it stays as it was.
(
  set -eu
  both=${MYSQL_USERPASSWORD:-$(cat "$MYSQL_USERPASSWORD_FILE")}
  literal() { local text=${1//\\/\\\\}; printf "'%s'" "${text//\'/\'\'}"; }
  account="$(literal "${both%%:*}")@'%'"
  MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --socket=/run/mysqld/mysqld.sock --user=root <<SQL
create user if not exists $account identified by $(literal "${both#*:}");
grant all on \`${MYSQL_DATABASE//_/\\_}\`.* to $account;
SQL
)

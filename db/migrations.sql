-- Brings a database that schema.sql did not make (the original system's, or an older one of ours) to what schema.sql makes.
-- Each statement stands under a guard, a fact that is true once the statement has run, so that it is safe to repeat and to be
-- interrupted. `@unless column T.C`, `index T.I`, `notnull T.C` and `collation T.C = X` look into information_schema; `@always`
-- marks a statement that changes nothing the second time. Ids keep the type that the table has.
--
-- Statements run beside pods of the version before: only additions, defaults, and nothing that an older statement would miss.
-- Append; never change what has been released.

-- @always
update images set person = -1 where person is null;
-- @always
update images set status = 0 where status is null;
-- @unless notnull images.person
alter table images modify person bigint not null default -1;
-- @unless notnull images.status
alter table images modify status int not null default 0;
-- @unless collation images.path = utf8mb4_bin
alter table images modify path varchar(255) character set utf8mb4 collate utf8mb4_bin not null;
-- @unless column images.path_bytes
alter table images add column path_bytes varbinary(1020) generated always as (cast(path as binary)) virtual;
-- @unless column images.outcome
alter table images
  add column outcome varchar(32) character set utf8mb4 collate utf8mb4_bin null default null,
  add column detail varchar(255) character set utf8mb4 collate utf8mb4_bin null default null,
  add column face_count int null default null,
  add column distance double null default null,
  add column model varchar(64) character set utf8mb4 collate utf8mb4_bin null default null,
  add column gallery_version bigint null default null,
  add column attempts int not null default 0,
  add column lease_owner varchar(64) character set utf8mb4 collate utf8mb4_bin null default null,
  add column lease_until timestamp(3) null default null,
  add column retry_at timestamp(3) null default null,
  add column batch binary(16) null default null,
  add column queued_at timestamp(3) null default null,
  add column redeem_token binary(16) null default null,
  add column redeemed_at timestamp(3) null default null,
  add column content_sha256 binary(32) null default null,
  add column trace_parent varchar(64) character set utf8mb4 collate utf8mb4_bin null default null,
  add column created_at timestamp(3) not null default current_timestamp(3),
  add column updated_at timestamp(3) not null default current_timestamp(3) on update current_timestamp(3),
  add column started_at timestamp(3) null default null,
  add column finished_at timestamp(3) null default null;
-- @unless index images.images_path_bytes
alter table images add unique key images_path_bytes (path_bytes);
-- @unless index images.images_content_sha256
alter table images
  add unique key images_content_sha256 (content_sha256),
  add key images_status (status),
  add key images_status_queued (status, queued_at),
  add key images_outcome (outcome),
  add key images_person (person),
  add key images_retry (retry_at),
  add key images_batch (batch),
  add key images_redeem (redeem_token),
  add key images_finished (finished_at);
-- @unless collation person.name = utf8mb4_bin
alter table person modify name varchar(255) character set utf8mb4 collate utf8mb4_bin not null;
-- @unless column person.created_at
alter table person
  add column created_at timestamp(3) not null default current_timestamp(3),
  add column updated_at timestamp(3) not null default current_timestamp(3) on update current_timestamp(3);
-- @unless index person.person_name
alter table person add key person_name (name);
-- @unless collation person_images.image_name = utf8mb4_bin
alter table person_images modify image_name varchar(255) character set utf8mb4 collate utf8mb4_bin null default null;
-- @unless column person_images.content_sha256
alter table person_images
  add column content_sha256 binary(32) null default null,
  add column created_at timestamp(3) not null default current_timestamp(3);
-- @unless index person_images.person_images_name
alter table person_images
  add key person_images_name (image_name),
  add key person_images_person (person_id);
-- @unless column images.queued_on
alter table images add column queued_on varchar(255) character set utf8mb4 collate utf8mb4_bin null default null;

-- The schema of a fresh database, for MySQL 9.7 and MariaDB 10.11. It is what the init folder of a new MySQL runs, and what a
-- service runs first on a database that lacks a table; whatever an older database lacks, migrations.sql brings.
--
-- images, person and person_images are the original system's, whose services read and write them with plain column lists.
-- Every column of ours therefore has a default. Times are the database's own (timestamps: the same instant in every session).

create table if not exists images (
  id bigint not null auto_increment,
  path varchar(255) not null,
  person bigint not null default -1,                 -- person.id, -1 until somebody is recognised
  status int not null default 0,                     -- 0 pending, 1 processed, 2 failed, 3 processing
  path_bytes varbinary(1020) generated always as (cast(path as binary)) virtual, -- a collation may call two paths equal; bytes do not
  outcome varchar(32) null default null,             -- see shared-lib/src/image-status.ts
  detail varchar(255) null default null,             -- the reason of a failure, in words
  face_count int null default null,
  distance double null default null,                 -- of the face that gave the photo its person
  model varchar(64) null default null,               -- descriptor model that decided
  gallery_version bigint null default null,
  attempts int not null default 0,                   -- calls that the engine began since the last retry by hand
  lease_owner varchar(64) null default null,
  lease_until timestamp(3) null default null,
  retry_at timestamp(3) null default null,           -- end of the back-off; null: not tried again by itself
  batch binary(16) null default null,                -- token by which the ids of one INSERT are read back
  queued_at timestamp(3) null default null,          -- nsqd has acknowledged the id
  queued_on varchar(255) null default null,          -- that nsqd, see shared-lib/src/nsqd-name.ts; null: not known
  redeem_token binary(16) null default null,         -- the redeemer that stamped the row last
  redeemed_at timestamp(3) null default null,
  content_sha256 binary(32) null default null,       -- of uploaded bytes
  trace_parent varchar(64) null default null,        -- W3C trace context of the post
  created_at timestamp(3) not null default current_timestamp(3),
  updated_at timestamp(3) not null default current_timestamp(3) on update current_timestamp(3),
  started_at timestamp(3) null default null,         -- of the last attempt
  finished_at timestamp(3) null default null,        -- when the row became processed or failed
  primary key (id),
  unique key images_path_bytes (path_bytes),
  unique key images_content_sha256 (content_sha256),
  key images_status (status),
  key images_status_queued (status, queued_at),
  key images_outcome (outcome),
  key images_person (person),
  key images_retry (retry_at),
  key images_batch (batch),
  key images_redeem (redeem_token),
  key images_finished (finished_at)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

create table if not exists person (
  id bigint not null auto_increment,
  name varchar(255) not null,
  created_at timestamp(3) not null default current_timestamp(3),
  updated_at timestamp(3) not null default current_timestamp(3) on update current_timestamp(3),
  primary key (id),
  key person_name (name)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

create table if not exists person_images (
  id bigint not null auto_increment,
  image_name varchar(255) null default null,         -- file name in the folder of known people
  person_id bigint null default null,
  content_sha256 binary(32) null default null,
  created_at timestamp(3) not null default current_timestamp(3),
  primary key (id),
  key person_images_name (image_name),
  key person_images_person (person_id)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

create table if not exists faces (
  id bigint not null auto_increment,
  image bigint not null,                             -- images.id
  position int not null,                             -- 0 is the largest face
  box varchar(160) not null,                         -- {"x","y","width","height"}, pixels of the upright photo
  score double not null,
  person bigint not null default -1,
  image_name varchar(255) null default null,         -- known photo that matched; null where nobody did
  distance double null default null,                 -- to that photo, or to the nearest one
  candidates text null,                              -- [{"person","imageName","distance"}], the nearest three people
  descriptor varbinary(8192) null default null,      -- float32, little-endian
  model varchar(64) null default null,
  corrected tinyint not null default 0,              -- 1: a hand set the person; recognition leaves it alone
  created_at timestamp(3) not null default current_timestamp(3),
  primary key (id),
  unique key faces_image_position (image, position),
  key faces_person (person, image),
  key faces_image_name (image_name),
  key faces_model (model, id)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

create table if not exists attempts (
  id bigint not null auto_increment,
  image bigint not null,                             -- images.id
  owner varchar(64) not null,                        -- the processor
  started_at timestamp(3) not null,
  finished_at timestamp(3) not null default current_timestamp(3),
  outcome varchar(32) not null,
  detail varchar(255) null default null,
  primary key (id),
  key attempts_image (image)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

create table if not exists redecisions (
  id bigint not null auto_increment,
  person bigint null default null,                   -- the person whose new photos are looked for; null: a moved threshold
  threshold double null default null,
  last_face bigint not null default 0,               -- faces.id up to which the work is done
  examined bigint not null default 0,
  changed bigint not null default 0,                 -- photos that got another person
  lease_owner varchar(64) null default null,
  lease_until timestamp(3) null default null,
  created_at timestamp(3) not null default current_timestamp(3),
  finished_at timestamp(3) null default null,
  primary key (id),
  key redecisions_person (person),
  key redecisions_open (finished_at)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

create table if not exists erasures (
  id bigint not null auto_increment,
  person bigint not null,                            -- who was erased: nobody's id any more
  last_face bigint not null default 0,               -- faces.id up to which nobody is near to that person
  examined bigint not null default 0,
  changed bigint not null default 0,                 -- faces that had the person among their candidates
  swept_at timestamp(3) null default null,           -- when the last face was reached
  lease_owner varchar(64) null default null,
  lease_until timestamp(3) null default null,
  created_at timestamp(3) not null default current_timestamp(3),
  finished_at timestamp(3) null default null,        -- when late mentions were looked for
  primary key (id),
  key erasures_open (finished_at)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

create table if not exists idempotency_keys (
  key_sha256 binary(32) not null,
  request_sha256 binary(32) not null,
  status int null default null,                      -- null while the first request is under way
  body mediumtext null,
  created_at timestamp(3) not null default current_timestamp(3),
  primary key (key_sha256),
  key idempotency_keys_created (created_at)
) engine = innodb default charset = utf8mb4 collate = utf8mb4_bin;

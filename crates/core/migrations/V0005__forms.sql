-- A plan carries its forms, script and alerts; every edit is a new version, none is ever changed.
CREATE TABLE plan_version (
  id          BLOB    NOT NULL PRIMARY KEY,
  code        TEXT    NOT NULL,
  version     INTEGER NOT NULL,                 -- 4096 × mark of the desk + count, see forms/number.rs
  kind        TEXT    NOT NULL,                 -- plan, common, questionnaire
  body        TEXT    NOT NULL,                 -- JSON of domain::plans / domain::forms
  origin      TEXT    NOT NULL,                 -- shipped, edited
  enabled     INTEGER NOT NULL DEFAULT 1,
  made_at     INTEGER NOT NULL,
  made_by     BLOB    NOT NULL
) STRICT;
CREATE INDEX plan_version_by_code ON plan_version (code, version);

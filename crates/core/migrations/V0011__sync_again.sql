-- An offer that the server has taken is kept until that is durable: the server has it under a number up to this one.
ALTER TABLE sync_offer ADD COLUMN rests INTEGER;

-- Which entities and fields the program knew that read the feed (see aftercare_sync::entities::fingerprint).
ALTER TABLE sync_server ADD COLUMN entities INTEGER;

-- Erased patients and the records that went with them. What was under way about them is emptied when the server has
-- refused it, for whatever reason.
CREATE TABLE sync_erased (
  id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

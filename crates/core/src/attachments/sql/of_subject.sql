SELECT attachment.id, name, media_type, attachment.size, added_at, blob.have,
       coalesce(blob.own, 0) AS own, coalesce(blob.sent, 0) AS sent,
       EXISTS (SELECT 1 FROM sync_server) AS has_server,
       coalesce((SELECT display_name FROM staff WHERE staff.id = user_id), '') AS by
FROM attachment
LEFT JOIN blob ON blob.patient_id = attachment.patient_id AND blob.sha256 = attachment.sha256
WHERE subject_id = ?1 AND subject_kind = ?2 AND removed = 0

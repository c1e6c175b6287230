-- Figures of a period read these ranges; nothing scans a whole table.
CREATE INDEX task_by_due ON task (due_on);
-- With all that says whether a response stands, so that its row need not be read.
CREATE INDEX response_by_encounter ON response (encounter_id, withdrawn, id) WHERE encounter_id IS NOT NULL;
CREATE INDEX response_by_call ON response (call_id, withdrawn, id) WHERE call_id IS NOT NULL;
CREATE INDEX enrolment_by_anchor ON enrolment (anchor_on);
CREATE INDEX encounter_by_department ON encounter (department);

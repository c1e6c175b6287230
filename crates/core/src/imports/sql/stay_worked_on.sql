SELECT EXISTS (SELECT 1 FROM response WHERE patient_id = ?2 AND encounter_id = ?1)
    OR EXISTS (SELECT 1 FROM call
               JOIN task ON task.id = call.task_id
               WHERE call.patient_id = ?2 AND task.encounter_id = ?1)

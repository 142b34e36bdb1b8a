INSERT INTO item
SELECT id, code, name, country, quantity, price, active IN ('true', '1'), updated_at, nullif(notes, '')
FROM staging WHERE true
ON CONFLICT(id) DO UPDATE SET
  code = excluded.code, name = excluded.name, country = excluded.country, quantity = excluded.quantity,
  price = excluded.price, active = excluded.active, updated_at = excluded.updated_at, notes = excluded.notes
WHERE (excluded.code, excluded.name, excluded.country, excluded.quantity, excluded.price, excluded.active,
       excluded.updated_at, excluded.notes)
  IS NOT (item.code, item.name, item.country, item.quantity, item.price, item.active, item.updated_at, item.notes);

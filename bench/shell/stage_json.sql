CREATE TEMP TABLE staging(
  id INTEGER, code TEXT, name TEXT, country TEXT, quantity INTEGER, price NUMERIC, active TEXT, updated_at TEXT,
  notes TEXT);
INSERT INTO staging
SELECT value ->> 'id', value ->> 'code', value ->> 'name', value ->> 'country', value ->> 'quantity',
       value ->> 'price', value ->> 'active', value ->> 'updated_at', value ->> 'notes'
FROM json_each(readfile('current.json'));

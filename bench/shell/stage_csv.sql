CREATE TEMP TABLE staging(
  id INTEGER, code TEXT, name TEXT, country TEXT, quantity INTEGER, price NUMERIC, active TEXT, updated_at TEXT,
  notes TEXT);
.import --csv --skip 1 current.csv staging

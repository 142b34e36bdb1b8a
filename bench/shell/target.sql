CREATE TABLE item(
  id INTEGER PRIMARY KEY, code TEXT, name TEXT, country TEXT, quantity INTEGER, price NUMERIC, active INTEGER,
  updated_at TEXT, notes TEXT);

CREATE TABLE inventory (
    item text PRIMARY KEY,
    cents integer NOT NULL,
    remaining integer NOT NULL CHECK (remaining >= 0)
);

INSERT INTO inventory VALUES ('toaster', 3900, 25);

CREATE TABLE orders (
    number bigint GENERATED ALWAYS AS IDENTITY (START WITH 42) PRIMARY KEY,
    key text NOT NULL UNIQUE,
    item text NOT NULL REFERENCES inventory,
    customer text NOT NULL,
    client inet NOT NULL,
    cents integer NOT NULL,
    taken timestamptz NOT NULL DEFAULT now()
);

CREATE ROLE orders LOGIN;

GRANT SELECT, UPDATE (remaining) ON inventory TO orders;

GRANT SELECT, INSERT ON orders TO orders;


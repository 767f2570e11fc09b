// The shape of multibox.db, step by step: a release only ever adds steps at the end, and each runs once on every database.

/** SQL, in the order in which it has come to be. `PRAGMA user_version` counts the steps that a database has been through. */
export const MIGRATIONS: readonly string[] = [
  // Streams that were added or changed over the API. `config` is JSON, with the password that the URL may hold.
  `CREATE TABLE streams (
     id TEXT PRIMARY KEY,
     config TEXT NOT NULL,
     added_at INTEGER NOT NULL
   ) STRICT`,
  // For each stream that there ever was, a number that none of its frames has had.
  `CREATE TABLE seqs (stream TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT`,
  // Made by `multibox token`. `streams` is a JSON list of ids, or null for all. Revoked ones stay, as proof that tokens are wanted.
  `CREATE TABLE tokens (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     digest TEXT NOT NULL,
     scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
     streams TEXT,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     revoked_at INTEGER,
     used_at INTEGER
   ) STRICT`,
  // Annotation jobs; `record` is JSON, see jobs/job-record.ts. Ids begin with the time at which they were made.
  `CREATE TABLE jobs (id TEXT PRIMARY KEY, state TEXT NOT NULL, record TEXT NOT NULL) STRICT`,
  // Trainings, likewise; see trainings/training-record.ts.
  `CREATE TABLE trainings (id TEXT PRIMARY KEY, state TEXT NOT NULL, record TEXT NOT NULL) STRICT`,
];

#include "service/state/schema.h"

namespace holdfast::service {
namespace {

// Times are seconds since 1970, UTC. Hashes of sessions and tokens are SHA-256 of random 256 bits: they need no salt.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  password TEXT NOT NULL,
  created INTEGER NOT NULL,
  password_changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  hash BLOB PRIMARY KEY,
  user TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
  origin TEXT NOT NULL,
  began INTEGER NOT NULL,
  seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user, began);

CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL UNIQUE,
  label TEXT NOT NULL,
  role TEXT NOT NULL,
  made_by TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  expired INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE failures (
  bucket INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  latest INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  who TEXT NOT NULL,
  origin TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL,
  mac BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  arguments TEXT NOT NULL,
  schedule TEXT,
  slot INTEGER,
  who TEXT NOT NULL,
  queued INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  exit_code INTEGER,
  findings INTEGER NOT NULL DEFAULT 0,
  lines INTEGER NOT NULL DEFAULT 0,
  log_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX jobs_without_end ON jobs (state) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_of_schedule ON jobs (schedule, id) WHERE schedule IS NOT NULL;
CREATE INDEX jobs_with_log ON jobs (id) WHERE log_bytes > 0;

CREATE TABLE job_lines (
  job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
  number INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
  name TEXT PRIMARY KEY,
  calendar TEXT NOT NULL,
  since INTEGER NOT NULL,
  after_job INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// The verb's last line, as JSON.
constexpr std::string_view kJobResults = "ALTER TABLE jobs ADD COLUMN result TEXT;";

// Notifications on their way, and what was told last of what is told once.
constexpr std::string_view kNotifications = R"sql(
CREATE TABLE notifications (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  target TEXT NOT NULL,
  event TEXT NOT NULL,
  headline TEXT NOT NULL,
  happened TEXT NOT NULL,
  safe TEXT NOT NULL,
  next TEXT NOT NULL,
  job INTEGER,
  time INTEGER NOT NULL,
  audit_number INTEGER NOT NULL,
  audit_hash BLOB NOT NULL,
  form TEXT NOT NULL,
  queued INTEGER NOT NULL,
  state TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  last_try INTEGER,
  next_try INTEGER NOT NULL,
  code TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  missing TEXT NOT NULL DEFAULT '',
  seen INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notifications_waiting ON notifications (next_try, id) WHERE state = 'waiting';
CREATE INDEX notifications_unseen ON notifications (id) WHERE state = 'given up' AND seen = 0;

CREATE TABLE told (topic TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// Sizes of the repository over time.
constexpr std::string_view kGrowth = R"sql(
CREATE TABLE growth (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  protected INTEGER NOT NULL,
  points INTEGER NOT NULL
) STRICT;
)sql";

// For Jobs::next, in its order. SQLite takes an index for a part of the rows only when the query says the same condition.
constexpr std::string_view kJobsToRun = R"sql(
DROP INDEX jobs_without_end;
CREATE INDEX jobs_queued ON jobs (slot IS NOT NULL, id) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (schedule) WHERE state = 'running';
)sql";

constexpr std::string_view kSteps[] = {kVersion1, kJobResults, kNotifications, kGrowth, kJobsToRun};

}  // namespace

std::span<const std::string_view> schema_steps() { return kSteps; }

}  // namespace holdfast::service

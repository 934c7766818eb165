// Made by scripts/api_types.mjs from the description of the API (openapi.json). Not for editing.

export type Problem = {
  /** urn:holdfast:error:CODE */
  type: string;
  /** what the code means */
  title: string;
  /** the HTTP status */
  status: number;
  /** what happened to which object */
  detail: string;
  /** what is still safe */
  safe: string;
  /** what to do next */
  hint: string;
  /** a code of `holdfast explain` */
  code: string;
  /** the exit code that the command line has for it */
  exit: number;
  /** the same request may succeed later without anybody changing anything */
  retry: boolean;
  /** seconds; also in Retry-After */
  retry_after?: number;
};

export type Finding = {
  /** stable, docs/findings.md */
  code: string;
  /** a path, an item, a step */
  object: string;
  message: string;
  /** what to do; may be empty */
  hint: string;
};

export type Session = {
  /** a user's name, or a token's label */
  who: string;
  kind: 'session' | 'token';
  role: 'viewer' | 'operator' | 'recovery' | 'administrator';
  rights: ('see' | 'operate' | 'recover' | 'retention' | 'settings' | 'users' | 'audit')[];
  /** value for the header X-Holdfast-CSRF; null for a token, which needs none */
  csrf: string | null;
  /** until the session ends although it is used; null for a token */
  seconds_left: number | null;
  /** what sign-in still asks for; null: nothing. Later: second_factor */
  next: 'second_factor' | null;
};

export type PointItem = {
  name: string;
  kind: string;
  status: 'complete' | 'complete_with_findings' | 'failed';
  /** bytes */
  bytes: number;
};

export type PointSummary = {
  id: string;
  /** when it was finished */
  time: string;
  system: string;
  origin: 'manual' | 'scheduled' | 'imported';
  status: 'complete' | 'complete_with_findings' | 'incomplete';
  scope: 'full' | 'partial';
  /** the highest level that passed; null: never verified */
  verified: {
    level: 'none' | 'exists' | 'bytes' | 'content' | 'restore';
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    time: string;
    /** the newest verification found damage */
    failed: boolean;
  } | null;
  /** protected bytes of all items */
  bytes: number;
  items?: PointItem[];
  pinned: boolean;
  label: string;
};

export type StoredItem = {
  name: string;
  kind: string;
  section: string;
  criticality: string;
  status: 'complete' | 'complete_with_findings' | 'failed';
  /** bytes */
  bytes: number;
  files: number;
  /** seconds */
  seconds: number;
  /** what was understood: thumbprint, expiry, row counts */
  facts: Record<string, string>;
  findings: Finding[];
};

export type Point = {
  id: string;
  system: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  started: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  time: string;
  origin: 'manual' | 'scheduled' | 'imported';
  status: 'complete' | 'complete_with_findings' | 'incomplete';
  scope: 'full' | 'partial';
  label: string;
  tool_version: string;
  items: StoredItem[];
  /** the identity card */
  identity: Record<string, string>;
  findings: Finding[];
  /** where an imported or copied point came from */
  provenance: Record<string, string>;
  pinned: boolean;
  verified: {
    level: 'none' | 'exists' | 'bytes' | 'content' | 'restore';
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    time: string;
    /** the newest verification found damage */
    failed: boolean;
  } | null;
};

export type Entry = {
  /** printable; bytes that are not UTF-8 as \xNN */
  name: string;
  /** the name for the parameter `path`: its bytes, those that are not A-Z a-z 0-9 - . _ ~ as %XX */
  segment: string;
  /** number of `type` in the format */
  kind: number;
  type: 'file' | 'directory' | 'symlink' | 'fifo' | 'character_device' | 'block_device' | 'hard_link';
  mode: number;
  uid: number;
  gid: number;
  /** bytes */
  size: number;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  modified: string;
  /** of a link; else empty */
  target: string;
};

export type Change = {
  kind: 'added' | 'removed' | 'changed';
  where: string;
  before: string;
  after: string;
};

export type ItemStatus = {
  item: string;
  title: string;
  section: string;
  criticality: 'critical' | 'recommended' | 'optional';
  point: string | null;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  time: string | null;
  /** never captured, failed in …; empty: good */
  problem: string;
  /** what its loss costs */
  if_lost: string;
  proven_on: 'sample' | 'stand-in' | 'real';
};

export type Alert = {
  code: string;
  object: string;
  message: string;
  hint: string;
  severity: 'critical' | 'warning';
  source: 'status' | 'schedule' | 'job' | 'notification' | 'configuration' | 'repository';
  /** null: not known */
  since: string | null;
  /** the job that it is about */
  job: number | null;
  /** the schedule that it is about */
  schedule: string | null;
};

export type Status = {
  system: string;
  title: string;
  /** say so wherever the system is shown */
  sample: boolean;
  /** now, by the server's clock */
  time: string;
  /** would this server come back now? `unknown`: the repository cannot be looked at */
  verdict: 'yes' | 'with_findings' | 'no' | 'unknown';
  /** what a recovery would take */
  newest_good: PointSummary | null;
  /** the recovery point objective as stated: 24h */
  objective: string | null;
  /** RPO */
  recovery_point: {
    objective: string | null;
    objective_seconds: number | null;
    /** of newest_good */
    age_seconds: number | null;
    /** null: no objective, or no point */
    met: boolean | null;
  };
  /** RTO. Measured, never estimated: the duration of the newest recovery or verification at level restore. */
  recovery_time: {
    objective: string | null;
    objective_seconds: number | null;
    measured_seconds: number | null;
    measured_by: 'recover' | 'verify' | null;
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    measured_at: string | null;
    job: number | null;
    /** null: no objective, or never measured */
    met: boolean | null;
  };
  /** of newest_good */
  proven: {
    level: 'none' | 'exists' | 'bytes' | 'content' | 'restore';
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    time: string;
    /** the newest verification found damage */
    failed: boolean;
  } | null;
  items: ItemStatus[];
  attention: Alert[];
  excluded: {
    what: string;
    reason: string;
  }[];
  outside: string[];
  service: {
    version: string;
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    started: string;
    running_jobs: number;
    queued_jobs: number;
    configuration: {
      file: string;
      /** the file became wrong: the last good one is in force */
      error: Problem | null;
    };
    repository_error: Problem | null;
  };
};

export type SystemItem = {
  name: string;
  title: string;
  kind: string;
  section: string;
  criticality: 'critical' | 'recommended' | 'optional';
  if_lost: string;
  proven_on: 'sample' | 'stand-in' | 'real';
  /** not_configured: the profile expects it and the file gives it no place; it is not covered */
  state: 'configured' | 'excluded' | 'not_configured';
  /** of an excluded one */
  reason: string | null;
  /** paths that it takes */
  places: string[];
};

export type System = {
  id: string;
  name: string;
  title: string;
  sample: boolean;
  profile: {
    name: string;
    title: string;
  };
  repository: string;
  copies: {
    name: string;
    repository: string;
  }[];
  objectives: {
    recovery_point: string | null;
    recovery_time: string | null;
  };
  sections: {
    name: string;
    title: string;
    /** names of the schedules that back it up */
    schedules: string[];
    items: SystemItem[];
  }[];
  /** items and folders left out on purpose */
  excluded: {
    what: string;
    reason: string;
  }[];
  outside: string[];
};

export type Run = {
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  time: string;
  /** in the server's own time */
  local: string;
};

export type ScheduleSettings = {
  run: 'backup' | 'verify' | 'check' | 'copy' | 'retention' | 'prune';
  /** as in systemd: Mon..Fri 02:30 */
  calendar: string;
  enabled?: boolean;
  /** of backup; left out: every item */
  section?: string;
  /** of backup: a folder for plain files, too */
  export?: string;
  /** of verify */
  level?: 'exists' | 'bytes' | 'content' | 'restore';
  /** of verify and check */
  share?: number;
  /** of copy */
  copy?: string;
};

export type Schedule = {
  name: string;
  enabled: boolean;
  run: 'backup' | 'verify' | 'check' | 'copy' | 'retention' | 'prune';
  /** one line for people */
  does: string;
  calendar: string;
  section?: string;
  export?: string;
  level?: string;
  share?: number;
  copy?: string;
  /** null: its time zone is not on this machine */
  normal_form: string | null;
  /** the next five runs; of one that is off: when it would run */
  next: Run[];
  /** overdue: a slot has not started 15 minutes after its time */
  state: 'off' | 'waiting' | 'queued' | 'running' | 'overdue' | 'unusable';
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  overdue_since: string | null;
  /** its newest job */
  last: Job | null;
};

export type Retention = {
  last?: number;
  hourly?: number;
  daily?: number;
  weekly?: number;
  monthly?: number;
  yearly?: number;
  /** a span: 12h, 7d, 2y */
  within?: string | null;
};

export type NotifySettings = {
  url: string;
  to?: string[];
  from?: string;
  password_file?: string;
  on?: ('failure' | 'overdue' | 'finding' | 'success')[];
};

export type Settings = {
  repository?: string | null;
  objectives?: {
    /** a span: 12h, 7d, 2y */
    recovery_point?: string | null;
    /** a span: 12h, 7d, 2y */
    recovery_time?: string | null;
  };
  /** [copy.NAME] repository */
  copies?: Record<string, string>;
  /** null: nothing is deleted. Changing it needs the right retention, too */
  retention?: Retention | null;
  /** by name */
  schedules?: Record<string, ScheduleSettings>;
  service?: {
    listen?: string;
    certificate?: string | null;
    key?: string | null;
  };
  /** by name */
  notify?: Record<string, NotifySettings>;
};

export type SettingsAnswer = {
  file: string;
  settings: Settings;
  /** of PUT: the file was written */
  changed: boolean;
  /** of PUT: '- before' and '+ after', line by line */
  lines: string[];
  /** what was changed holds from the next start of the service on: listen, certificate, key, repository */
  restart: boolean;
};

export type Progress = {
  phase: string;
  /** bytes */
  bytes: number;
  /** 0: not known */
  bytes_total: number;
  files: number;
  /** seconds */
  seconds: number;
};

export type Job = {
  id: number;
  kind: 'backup' | 'verify' | 'check' | 'copy' | 'retention' | 'prune' | 'export' | 'restore' | 'recover' | 'kit';
  /** one line for people: the verb with its arguments */
  does: string;
  state: 'queued' | 'running' | 'ended' | 'interrupted';
  /** a user, token LABEL, schedule NAME */
  who: string;
  schedule: string | null;
  /** the run of the schedule that it is */
  slot: string | null;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  queued: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  started: string | null;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  ended: string | null;
  /** of an ended one: 0 done, 3 done with findings, 130 stopped; others failed */
  exit: number | null;
  /** null: not ended */
  outcome: 'done' | 'findings' | 'failed' | 'stopped' | 'interrupted' | null;
  findings: number;
  /** of its log */
  lines: number;
  /** it was asked to stop */
  stopping: boolean;
  progress: Progress | null;
  /** the verb's result or error line of --json, without type and schema; null: none yet, none kept, in lists, and in an event when it is larger than 16 KiB */
  result: Record<string, unknown> | null;
  /** second persons who approved it; always empty in this version */
  approvals: string[];
};

export type JobLine = {
  number: number;
  text: string;
};

export type NewBackup = {
  kind: 'backup';
  parameters?: {
    /** only these; left out: all */
    items?: string[];
    section?: string;
    label?: string;
  };
};

export type NewVerify = {
  kind: 'verify';
  parameters?: {
    /** first digits of a point's id (at least four), or latest */
    point?: string;
    all?: boolean;
    level?: 'exists' | 'bytes' | 'content' | 'restore';
    /** a span: 12h, 7d, 2y */
    older_than?: string;
    share?: number;
  };
};

export type NewCheck = {
  kind: 'check';
  parameters?: {
    read_data?: boolean;
    share?: number;
  };
};

export type NewCopy = {
  kind: 'copy';
  parameters?: {
    copy?: string;
  };
};

export type NewRetention = {
  kind: 'retention';
  parameters?: Record<string, never>;
};

export type NewPrune = {
  kind: 'prune';
  parameters?: Record<string, never>;
};

export type NewExport = {
  kind: 'export';
  parameters: {
    /** first digits of a point's id (at least four), or latest */
    point: string;
    /** only these; left out: all */
    items?: string[];
    /** absolute path on the server */
    file?: string;
    /** never written anywhere */
    file_password?: string;
    /** absolute path on the server */
    folder?: string;
  };
};

export type NewRestore = {
  kind: 'restore';
  parameters: {
    /** first digits of a point's id (at least four), or latest */
    point: string;
    /** only these; left out: all */
    items?: string[];
    /** a backup file instead of the repository */
    from?: string;
    /** never written anywhere */
    file_password?: string;
    /** a folder */
    to?: string;
    in_place?: boolean;
    privileged?: boolean;
  };
};

export type NewRecover = {
  kind: 'recover';
  parameters?: {
    /** first digits of a point's id (at least four), or latest */
    point?: string;
    resume?: boolean;
    only?: string;
    /** step: reason */
    skip?: Record<string, string>;
    /** manual steps that are done */
    acknowledge?: string[];
    expect_head?: string;
  };
};

export type NewKit = {
  kind: 'kit';
  parameters: {
    /** absolute path on the server */
    folder: string;
  };
};

export type NewJob = NewBackup | NewVerify | NewCheck | NewCopy | NewRetention | NewPrune | NewExport | NewRestore | NewRecover | NewKit;

export type Check = {
  name: string;
  passed: boolean;
  detail: string;
};

export type Step = {
  name: string;
  title: string;
  /** 0 before anything, 1 database, 2 re-installation, 3 configuration, 4 checks */
  group: number;
  kind: 'confirm' | 'stop_services' | 'start_services' | 'set_aside' | 'restore' | 'fixup' | 'install' | 'manual' | 'check';
  by_person: boolean;
  deferrable: boolean;
  instructions: string;
  after: string[];
  state: 'pending' | 'done' | 'skipped' | 'deferred' | 'left_to_person' | 'failed' | 'cannot_run_here';
  detail: string;
  does: string[];
};

export type Plan = {
  point: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  time: string;
  install_first: boolean;
  steps: Step[];
  preflight: Check[];
  differences: {
    what: string;
    lost: string;
    here: string;
    blocking: boolean;
  }[];
  findings: Finding[];
  /** a recovery could begin here */
  passed: boolean;
  refusal: Problem | null;
  /** name of the recovery that was begun and not finished: resume it */
  unfinished: string | null;
};

export type Recovery = {
  name: string;
  system: string;
  point: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  begun: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  finished: string | null;
  /** null: not finished */
  complete: boolean | null;
  steps: {
    step: string;
    state: string;
    detail: string;
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    time: string;
  }[];
};

export type PackageLine = {
  name: string;
  id: string;
  /** version; null: not installed */
  installed: string | null;
  /** version; null: not in the package */
  package: string | null;
  state: 'same' | 'package_older' | 'package_newer' | 'not_in_package' | 'not_installed';
};

export type Package = {
  installed: boolean;
  package: {
    point: string;
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    time: string;
    made: string;
    platform_version: string;
  } | null;
  products: PackageLine[];
  findings: Finding[];
};

export type Kit = {
  kit: {
    /** where it was written; null: never from here */
    folder: string | null;
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    written: string | null;
    /** it can be seen from here: carried away it cannot, which is as it should be */
    reachable: boolean;
    stale: boolean;
  };
  copies: {
    name: string;
    repository: string;
    last: Job | null;
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    last_success: string | null;
  }[];
  /** the newest jobs of kind export, at most 10 */
  exports: Job[];
  /** the newest head code: write it down elsewhere */
  head: string;
  findings: Finding[];
};

export type Growth = {
  /** oldest first */
  points: {
    point: string;
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    time: string;
    origin: string;
    scope: string;
    section: string;
    /** bytes */
    protected_bytes: number;
    /** seconds */
    seconds: number;
  }[];
  /** of the repository, taken after each job that writes to it and once a day; oldest first */
  samples: {
    /** UTC, whole seconds: 2026-11-22T02:00:05Z */
    time: string;
    /** bytes */
    stored_bytes: number;
    /** of all points together */
    protected_bytes: number;
    points: number;
  }[];
  now: {
    /** bytes */
    stored_bytes: number | null;
    /** bytes */
    protected_bytes: number;
    points: number;
    /** protected through stored: deduplication and compression together */
    ratio: number | null;
  };
};

export type Channel = {
  name: string;
  url: string;
  to: string[];
  on: ('failure' | 'overdue' | 'finding' | 'success')[];
  waiting: number;
  given_up: number;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  last_delivered: string | null;
  last_error: string | null;
};

export type Delivery = {
  id: number;
  channel: string;
  event: 'failure' | 'overdue' | 'finding' | 'success' | 'test';
  subject: string;
  job: number | null;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  queued: string;
  state: 'waiting' | 'delivered' | 'given_up';
  attempts: number;
  /** when it is tried again */
  next: string | null;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  ended: string | null;
  /** of the last attempt; may be empty */
  error: string;
  /** of a mail that some have: whom it could not be brought to so far */
  missing: string[];
  /** of a given-up one: a person has seen it; until then it is an alert */
  acknowledged: boolean;
};

export type User = {
  name: string;
  role: 'viewer' | 'operator' | 'recovery' | 'administrator';
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  created: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  password_changed: string;
};

export type Token = {
  id: number;
  label: string;
  role: 'viewer' | 'operator' | 'recovery' | 'administrator';
  made_by: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  created: string;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  expires: string;
  expired: boolean;
};

export type AuditEntry = {
  number: number;
  /** UTC, whole seconds: 2026-11-22T02:00:05Z */
  time: string;
  who: string;
  origin: string;
  action: string;
  object: string;
  outcome: string;
  detail: string;
};

export type AuditHead = {
  number: number;
  hash: string;
};

export type RestoreReview = {
  point: string;
  items: {
    item: string;
    title: string;
    /** bytes */
    bytes: number;
    place: string;
    replaces: boolean;
  }[];
  /** bytes */
  bytes: number;
  /** at the folder; null: in place */
  free_bytes: number | null;
};

export type BackupReview = {
  items: {
    name: string;
    criticality: 'critical' | 'recommended' | 'optional';
    /** 0: not known before */
    bytes: number;
    title: string;
    if_lost: string;
    proven_on: string;
  }[];
  left_out: string[];
  excluded: {
    what: string;
    reason: string;
  }[];
  not_covered: Finding[];
  outside: string[];
  /** bytes */
  bytes: number;
};

export const operations = {
  signIn: { method: 'POST', path: '/session', right: 'none' },
  whoAmI: { method: 'GET', path: '/session', right: 'any' },
  signOut: { method: 'DELETE', path: '/session', right: 'any' },
  changePassword: { method: 'PUT', path: '/session/password', right: 'any' },
  status: { method: 'GET', path: '/status', right: 'see' },
  alerts: { method: 'GET', path: '/alerts', right: 'see' },
  growth: { method: 'GET', path: '/growth', right: 'see' },
  system: { method: 'GET', path: '/system', right: 'see' },
  reviewBackup: { method: 'GET', path: '/review', right: 'see' },
  retention: { method: 'GET', path: '/retention', right: 'see' },
  points: { method: 'GET', path: '/points', right: 'see' },
  point: { method: 'GET', path: '/points/{id}', right: 'see' },
  files: { method: 'GET', path: '/points/{id}/items/{item}/files', right: 'see' },
  content: { method: 'GET', path: '/points/{id}/items/{item}/content', right: 'recover' },
  diff: { method: 'GET', path: '/points/{a}/diff/{b}', right: 'see' },
  pin: { method: 'PUT', path: '/points/{id}/pin', right: 'operate' },
  unpin: { method: 'DELETE', path: '/points/{id}/pin', right: 'operate' },
  jobs: { method: 'GET', path: '/jobs', right: 'see' },
  startJob: { method: 'POST', path: '/jobs', right: 'by-kind' },
  job: { method: 'GET', path: '/jobs/{job}', right: 'see' },
  stopJob: { method: 'DELETE', path: '/jobs/{job}', right: 'by-kind' },
  jobLog: { method: 'GET', path: '/jobs/{job}/log', right: 'see' },
  jobEvents: { method: 'GET', path: '/jobs/{job}/events', right: 'see' },
  events: { method: 'GET', path: '/events', right: 'see' },
  acknowledge: { method: 'POST', path: '/jobs/{job}/acknowledge', right: 'recover' },
  schedules: { method: 'GET', path: '/schedules', right: 'see' },
  schedule: { method: 'GET', path: '/schedules/{name}', right: 'see' },
  setSchedule: { method: 'PUT', path: '/schedules/{name}', right: 'settings' },
  removeSchedule: { method: 'DELETE', path: '/schedules/{name}', right: 'settings' },
  runSchedule: { method: 'POST', path: '/schedules/{name}/run', right: 'by-kind' },
  calendar: { method: 'GET', path: '/calendar', right: 'see' },
  settings: { method: 'GET', path: '/settings', right: 'settings' },
  changeSettings: { method: 'PUT', path: '/settings', right: 'settings' },
  plan: { method: 'GET', path: '/plan', right: 'see' },
  runBook: { method: 'GET', path: '/plan/text', right: 'see' },
  recoveries: { method: 'GET', path: '/recoveries', right: 'see' },
  package: { method: 'GET', path: '/package', right: 'see' },
  kit: { method: 'GET', path: '/kit', right: 'see' },
  reviewRestore: { method: 'POST', path: '/restore/review', right: 'recover' },
  lookIntoFile: { method: 'POST', path: '/backup-file', right: 'recover' },
  notifications: { method: 'GET', path: '/notifications', right: 'settings' },
  testNotification: { method: 'POST', path: '/notifications/{name}/test', right: 'settings' },
  delivery: { method: 'GET', path: '/deliveries/{delivery}', right: 'settings' },
  acknowledgeDelivery: { method: 'POST', path: '/deliveries/{delivery}/acknowledge', right: 'settings' },
  users: { method: 'GET', path: '/users', right: 'users' },
  addUser: { method: 'POST', path: '/users', right: 'users' },
  changeUser: { method: 'PUT', path: '/users/{name}', right: 'users' },
  removeUser: { method: 'DELETE', path: '/users/{name}', right: 'users' },
  tokens: { method: 'GET', path: '/tokens', right: 'users' },
  addToken: { method: 'POST', path: '/tokens', right: 'users' },
  removeToken: { method: 'DELETE', path: '/tokens/{token}', right: 'users' },
  audit: { method: 'GET', path: '/audit', right: 'audit' },
  verifyAudit: { method: 'GET', path: '/audit/verify', right: 'audit' },
  metrics: { method: 'GET', path: '/metrics', right: 'see' },
} as const;

export interface Operations {
  signIn: {
    body: {
      user: string;
      password: string;
    };
    answer: Session;
  };
  whoAmI: {
    body: undefined;
    answer: Session;
  };
  signOut: {
    body: undefined;
    answer: null;
  };
  changePassword: {
    body: {
      current: string;
      password: string;
    };
    answer: null;
  };
  status: {
    body: undefined;
    answer: Status;
  };
  alerts: {
    body: undefined;
    answer: {
      alerts: Alert[];
    };
  };
  growth: {
    body: undefined;
    answer: Growth;
  };
  system: {
    body: undefined;
    answer: System;
  };
  reviewBackup: {
    body: undefined;
    answer: BackupReview;
  };
  retention: {
    body: undefined;
    answer: {
      rule: {
        last: number;
        hourly: number;
        daily: number;
        weekly: number;
        monthly: number;
        yearly: number;
        /** a span: 12h, 7d, 2y */
        within: string | null;
      };
      objective: string | null;
      points: {
        id: string;
        /** UTC, whole seconds: 2026-11-22T02:00:05Z */
        time: string;
        keep: boolean;
        reasons: string[];
      }[];
      applied: boolean;
      forgotten: string[];
      /** why the rule would not be applied now */
      refused: string | null;
    };
  };
  points: {
    body: undefined;
    answer: {
      points: PointSummary[];
      /** the next page's `after`; null: this was the last */
      next: string | null;
      /** that match, on all pages */
      total: number;
      /** the newest head code */
      head: string;
    };
  };
  point: {
    body: undefined;
    answer: Point;
  };
  files: {
    body: undefined;
    answer: {
      point: string;
      item: string;
      /** printable */
      path: string;
      fingerprint: string;
      entries: Entry[];
      /** the next page's `after`; null: this was the last */
      next: string | null;
    };
  };
  content: {
    body: undefined;
    answer: string;
  };
  diff: {
    body: undefined;
    answer: {
      before: string;
      after: string;
      items: {
        item: string;
        changes: Change[];
        /** changes beyond the first 1,000 */
        omitted: number;
      }[];
    };
  };
  pin: {
    body: undefined;
    answer: {
      point: string;
      pinned: boolean;
    };
  };
  unpin: {
    body: undefined;
    answer: {
      point: string;
      pinned: boolean;
    };
  };
  jobs: {
    body: undefined;
    answer: {
      jobs: Job[];
      /** the next page's `after`; null: this was the last */
      next: string | null;
    };
  };
  startJob: {
    body: NewJob;
    answer: Job;
  };
  job: {
    body: undefined;
    answer: Job;
  };
  stopJob: {
    body: undefined;
    answer: Job;
  };
  jobLog: {
    body: undefined;
    answer: {
      lines: JobLine[];
      /** `after` for the lines that follow; null: the job has ended and this was its last line */
      next: string | null;
      /** number of the first line that is kept */
      first: number;
    };
  };
  jobEvents: {
    body: undefined;
    answer: string;
  };
  events: {
    body: undefined;
    answer: string;
  };
  acknowledge: {
    body: {
      steps: string[];
    };
    answer: Job;
  };
  schedules: {
    body: undefined;
    answer: {
      schedules: Schedule[];
      /** sections that no schedule backs up */
      sections_without: string[];
    };
  };
  schedule: {
    body: undefined;
    answer: Schedule;
  };
  setSchedule: {
    body: ScheduleSettings;
    answer: Schedule;
  };
  removeSchedule: {
    body: undefined;
    answer: null;
  };
  runSchedule: {
    body: undefined;
    answer: Job;
  };
  calendar: {
    body: undefined;
    answer: {
      normal_form: string;
      next: Run[];
    };
  };
  settings: {
    body: undefined;
    answer: SettingsAnswer;
  };
  changeSettings: {
    body: Settings;
    answer: SettingsAnswer;
  };
  plan: {
    body: undefined;
    answer: Plan;
  };
  runBook: {
    body: undefined;
    answer: string;
  };
  recoveries: {
    body: undefined;
    answer: {
      recoveries: Recovery[];
    };
  };
  package: {
    body: undefined;
    answer: Package;
  };
  kit: {
    body: undefined;
    answer: Kit;
  };
  reviewRestore: {
    body: NewRestore;
    answer: RestoreReview;
  };
  lookIntoFile: {
    body: {
      /** absolute path on the server */
      file: string;
      /** never written anywhere */
      file_password: string;
    };
    answer: {
      points: Point[];
    };
  };
  notifications: {
    body: undefined;
    answer: {
      channels: Channel[];
      deliveries: Delivery[];
      /** the next page's `after`; null: this was the last */
      next: string | null;
    };
  };
  testNotification: {
    body: undefined;
    answer: Delivery;
  };
  delivery: {
    body: undefined;
    answer: Delivery;
  };
  acknowledgeDelivery: {
    body: undefined;
    answer: Delivery;
  };
  users: {
    body: undefined;
    answer: {
      users: User[];
    };
  };
  addUser: {
    body: {
      name: string;
      role: 'viewer' | 'operator' | 'recovery' | 'administrator';
      password: string;
    };
    answer: User;
  };
  changeUser: {
    body: {
      role?: 'viewer' | 'operator' | 'recovery' | 'administrator';
      password?: string;
    };
    answer: User;
  };
  removeUser: {
    body: undefined;
    answer: null;
  };
  tokens: {
    body: undefined;
    answer: {
      tokens: Token[];
    };
  };
  addToken: {
    body: {
      label: string;
      role: 'viewer' | 'operator' | 'recovery' | 'administrator';
      /** UTC, whole seconds: 2026-11-22T02:00:05Z */
      expires: string;
    };
    answer: {
      token: Token;
      /** shown now and never again */
      text: string;
    };
  };
  removeToken: {
    body: undefined;
    answer: null;
  };
  audit: {
    body: undefined;
    answer: {
      entries: AuditEntry[];
      /** the next page's `after`; null: this was the last */
      next: string | null;
      head: AuditHead;
    };
  };
  verifyAudit: {
    body: undefined;
    answer: {
      /** that fit, from the first on */
      entries: number;
      /** the first entry that does not fit */
      broken: number | null;
      why: string;
      head: AuditHead;
    };
  };
  metrics: {
    body: undefined;
    answer: string;
  };
}

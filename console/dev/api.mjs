// The API for developing the console without the service: examples of its description, a little state, jobs that count up. It proves nothing
// about the product: tests that do run against `holdfast serve` (tests/e2e).
import { readFileSync } from 'node:fs';
import { hex, makeAudit, makeGrowth, makePlan, makePoint, makePoints, makeStatus, makeSystem, items, runBook, stepNames, utc } from './data.mjs';

const description = JSON.parse(readFileSync(new URL('../../src/service/api/openapi.json', import.meta.url), 'utf8'));

function exampleOf(operation) {
  const [, good] = Object.entries(operation.responses).find(([status]) => status.startsWith('2')) ?? [];
  const content = Object.values(good?.content ?? {})[0];
  return content && structuredClone(content.example);
}

const routes = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).filter(([, o]) => o.operationId).map(([method, operation]) => ({
    method: method.toUpperCase(), path, operation,
    pattern: new RegExp(`^/api/v1${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
  })));
const example = (id) => exampleOf(routes.find((r) => r.operation.operationId === id).operation);

const kRights = { viewer: ['see'], operator: ['see', 'operate'], recovery: ['see', 'operate', 'recover'], administrator: ['see', 'operate', 'recover', 'retention', 'settings', 'users', 'audit'] };
const kTotal = 4_812_345_678;

// options.role of who signs in; options.state: "normal", "empty" (nothing yet), "trouble" (damage, overdue, a wrong file)
export function makeApi({ role = 'administrator', state = 'normal', now = Date.now(), points: pointCount = 240 } = {}) {
  const points = state === 'empty' ? [] : makePoints(now, pointCount);
  const streams = new Set(), jobStreams = new Map();
  let signedIn = null, settings = example('settings'), tag = 1, lastJob = 43, failing = false;
  settings.settings.schedules = { database: { run: 'backup', section: 'database', calendar: 'Mon..Sat 01:00', enabled: true }, configuration: { run: 'backup', calendar: 'Mon..Fri 02:30', enabled: true, section: 'configuration', export: '/srv/plain' }, 'software-library': { run: 'backup', section: 'software-library', calendar: 'Sat 22:00', enabled: false }, proof: { run: 'verify', level: 'content', share: 0.05, calendar: 'daily', enabled: true }, offsite: { run: 'copy', calendar: '*-*-* 04:30', enabled: true, copy: 'nas' }, retention: { run: 'retention', calendar: 'Sun 04:00', enabled: false } };
  let users = example('users').users.concat([{ name: 'bert', role: 'operator', created: utc(now - 4e10), password_changed: utc(now - 4e9) }, { name: 'carla', role: 'viewer', created: utc(now - 4e8), password_changed: utc(now - 4e8) }]);
  let tokens = example('tokens').tokens;
  const baseJob = example('job');
  const jobs = new Map(), logs = new Map();
  const plan = points.length ? makePlan(points[0]) : null;
  let recoveries = [];

  const problem = (status, code, detail, hint = '', safe = 'nothing was changed') => ({ status, body: { type: `urn:holdfast:error:${code}`, title: detail[0].toUpperCase() + detail.slice(1), status, detail, safe, hint, code, exit: 1, retry: false } });
  const send = (stream, name, data, id) => stream.write(`${id ? `id: ${id}\n` : ''}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const tellAll = (name, data) => { for (const s of streams) send(s, name, data); };
  const tellJob = (id, name, data, lineId) => { for (const s of jobStreams.get(id) ?? []) send(s, name, data, lineId); };

  function addJob(kind, does, extra = {}) {
    const id = (lastJob += 1);
    const job = { ...baseJob, id, kind, does, state: 'queued', who: signedIn?.who ?? 'anna', schedule: null, slot: null, queued: utc(Date.now()), started: null, ended: null, exit: null, outcome: null, findings: 0, lines: 0, stopping: false, progress: null, result: null, approvals: [], ...extra };
    jobs.set(id, job);
    logs.set(id, []);
    tellAll('job', job);
    return job;
  }
  function line(job, object) {
    const text = JSON.stringify({ schema: 1, ...object });
    job.lines += 1;
    logs.get(job.id).push({ number: job.lines, text });
    tellJob(job.id, 'line', { number: job.lines, text }, job.lines);
  }
  function end(job, exit, result) {
    Object.assign(job, { state: 'ended', exit, outcome: exit === 0 ? 'done' : exit === 3 ? 'findings' : exit === 130 ? 'stopped' : 'failed', ended: utc(Date.now()), progress: null, result });
    line(job, { type: exit === 0 || exit === 3 ? 'result' : 'error', ...result });
    tellAll('job', job);
    tellJob(job.id, 'end', job);
    tellAll('changed', { what: 'points' });
  }
  function run(job, seconds, result, exit = 0) {
    setTimeout(() => {
      if (job.state !== 'queued') return;
      Object.assign(job, { state: 'running', started: utc(Date.now()) });
      tellAll('job', job);
      tellJob(job.id, 'job', job);
      let step = 0;
      const timer = setInterval(() => {
        step += 1;
        if (job.stopping) { clearInterval(timer); end(job, 130, { code: 'interrupted', exit: 130, message: 'stopped by a person', safe: 'earlier recovery points are whole', hint: 'run the same command again', retry: true }); return; }
        job.progress = { phase: step % 2 ? 'reading cmdb' : 'packing', bytes: Math.round((kTotal * step) / (seconds * 4)), bytes_total: kTotal, files: step * 40, seconds: step / 4 };
        tellAll('progress', { ...job.progress, job: job.id });
        tellJob(job.id, 'progress', job.progress);
        if (step % 6 === 0) line(job, { type: 'finding', code: 'socket_skipped', object: `/srv/ns01/run/${step}.sock`, message: 'a socket has no content', hint: 'its program makes it anew' });
        if (step >= seconds * 4) { clearInterval(timer); end(job, exit, result); }
      }, 250);
    }, 300);
    return job;
  }

  if (state !== 'empty') {
    const old = (id, kind, does, hours, exit, extra = {}) => {
      const at = now - hours * 3_600_000;
      const job = { ...baseJob, id, kind, does, state: 'ended', queued: utc(at), started: utc(at + 1000), ended: utc(at + 64_000), exit, outcome: exit === 0 ? 'done' : exit === 3 ? 'findings' : 'failed', findings: exit === 3 ? 2 : 0, lines: 2, progress: null, stopping: false, result: exit === 15 ? { code: 'unavailable', exit: 15, message: 'cannot reach /mnt/nas/ns01: stale file handle', safe: 'earlier recovery points were not touched', hint: 'Try again later.', retry: true } : { point: points[0]?.id, status: 'complete', scope: 'full', items: [], bytes_read: kTotal, bytes_stored: 48_211_022, seconds: 63.8 }, ...extra };
      jobs.set(id, job);
      logs.set(id, [{ number: 1, text: JSON.stringify({ type: 'progress', schema: 1, phase: 'reading', bytes: 48_000_000 }) }, { number: 2, text: JSON.stringify({ type: exit === 15 ? 'error' : 'result', schema: 1, ...job.result }) }]);
    };
    old(38, 'backup', 'backup --section database', 52, 0, { who: 'schedule database', schedule: 'database' });
    old(39, 'verify', 'verify --all --level content --share 0.05', 33, 3, { who: 'schedule proof', schedule: 'proof' });
    old(40, 'backup', 'backup --label "before the upgrade"', 30, 0, { who: 'anna' });
    old(41, 'copy', 'copy nas', 9, 15, { who: 'schedule offsite', schedule: 'offsite' });
    old(42, 'backup', 'backup --section configuration', 7, 0, { who: 'schedule configuration', schedule: 'configuration' });
    run(addJob('verify', 'verify latest --level content', { who: 'anna' }), 1200, { points: [] });
  }

  const next = (s) => Array.from({ length: 5 }, (_, i) => { const t = now + (i * 24 + 14) * 3_600_000; return { time: utc(t), local: new Date(t).toUTCString() }; });
  const scheduleOf = (name) => {
    const s = settings.settings.schedules[name];
    const last = [...jobs.values()].filter((j) => j.schedule === name).at(-1) ?? null;
    const overdue = name === 'offsite' && state !== 'empty';
    const { run: kind, ...rest } = s;
    return { name, ...rest, enabled: s.enabled === true, run: kind, does: `${kind}${s.section ? ` of section ${s.section}` : ''}${s.copy ? ` to ${s.copy}` : ''}${s.export ? `, exported to ${s.export}` : ''}`, normal_form: s.calendar, next: next(s), state: !s.enabled ? 'off' : overdue ? 'overdue' : last?.state === 'running' ? 'running' : 'waiting', overdue_since: overdue ? utc(now - 9 * 3_600_000) : null, last };
  };
  const page = (list, q, most = 100) => { const from = Number(q.get('after') ?? 0), limit = Number(q.get('limit') ?? most); return [list.slice(from, from + limit), from + limit < list.length ? String(from + limit) : null]; };
  const find = (id) => points.find((p) => p.id.startsWith(id) || id === 'latest');
  const none = (p, f) => (p ? { status: 200, body: f(p) } : problem(404, 'not_found', 'there is no such recovery point', "'holdfast points' lists the recovery points"));

  const own = {
    signIn: ({ body }) => {
      if (body.password === 'wait') return { ...problem(429, 'busy', 'too many failures for this user or address', 'wait, then try again'), headers: { 'Retry-After': '20' } };
      if (body.password !== 'correct horse battery') return problem(401, 'wrong_key', 'the name or the password is wrong');
      signedIn = { ...example('whoAmI'), who: body.user, role, rights: kRights[role] };
      return { status: 200, body: signedIn };
    },
    whoAmI: () => ({ status: 200, body: signedIn }),
    signOut: () => { signedIn = null; return { status: 204 }; },
    changePassword: ({ body }) => (body.current === 'correct horse battery' ? { status: 204 } : problem(401, 'wrong_key', 'the password is wrong')),
    status: () => {
      if (state === 'empty') return { status: 200, body: { ...example('status'), verdict: 'no', newest_good: null, proven: null, attention: [{ code: 'nothing_to_recover', object: 'ns01', message: 'no recovery point holds every critical item', hint: 'back up now', severity: 'critical', source: 'status', since: null, job: null, schedule: null }], recovery_point: { objective: null, objective_seconds: null, age_seconds: null, met: null }, recovery_time: { objective: null, objective_seconds: null, measured_seconds: null, measured_by: null, measured_at: null, job: null, met: null }, items: items.map((x) => ({ item: x.name, title: x.title, section: x.section, criticality: x.criticality, point: null, time: null, problem: 'never captured', if_lost: x.if_lost, proven_on: x.proven_on })), excluded: [] } };
      const s = makeStatus(example('status'), now, points);
      if (state === 'trouble') Object.assign(s, { verdict: 'unknown', newest_good: null, proven: null, service: { ...s.service, repository_error: problem(503, 'unavailable', 'cannot open repository /backup/ns01: transport endpoint is not connected', 'mount the place again', 'recovery points are not touched by this').body, configuration: { ...s.service.configuration, error: problem(400, 'config', '/etc/holdfast/holdfast.toml:14:12: expected a calendar expression', '').body } } });
      return { status: 200, body: s };
    },
    alerts: () => ({ status: 200, body: { alerts: own.status().body.attention } }),
    growth: () => ({ status: 200, body: points.length ? makeGrowth(now, points) : { points: [], samples: [], now: { stored_bytes: null, protected_bytes: 0, points: 0, ratio: null } } }),
    system: () => ({ status: 200, body: { ...makeSystem(example('system')), copies: Object.entries(settings.settings.copies).map(([name, repository]) => ({ name, repository })), repository: settings.settings.repository } }),
    reviewBackup: ({ q }) => { const only = q.get('items')?.split(','); const chosen = items.filter((x) => !['software-library', 'patch-packages'].includes(x.name)); return { status: 200, body: { ...example('reviewBackup'), items: chosen.filter((x) => !only || only.includes(x.name)).map(({ name, criticality, bytes, title, if_lost, proven_on }) => ({ name, criticality, bytes, title, if_lost, proven_on })), left_out: chosen.filter((x) => only && !only.includes(x.name)).map((x) => x.name), bytes: chosen.reduce((s, x) => s + x.bytes, 0) } }; },
    retention: () => ({ status: 200, body: { ...example('retention'), points: points.slice(0, 60).map((p, i) => ({ id: p.id, time: p.time, keep: i < 20 || i % 7 === 0 || p.origin === 'manual', reasons: p.origin === 'manual' ? ['made by hand'] : i === 0 ? ['the newest good point', 'daily 1 of 14'] : i < 14 ? [`daily ${i + 1} of 14`] : i < 20 || i % 7 === 0 ? ['weekly 3 of 8'] : [] })) } }),
    points: ({ q }) => { const match = points.filter((p) => (!q.get('origin') || p.origin === q.get('origin')) && (!q.get('status') || p.status === q.get('status')) && (!q.get('since') || p.time >= q.get('since'))); const [list, after] = page(match, q); return { status: 200, body: { points: list, next: after, total: match.length, head: points.length ? 'HF1-2QK7-9XWM' : '' } }; },
    point: ({ p }) => none(find(p.id), makePoint),
    pin: ({ p }) => none(find(p.id), (x) => { x.pinned = true; return { point: x.id, pinned: true }; }),
    unpin: ({ p }) => none(find(p.id), (x) => { x.pinned = false; return { point: x.id, pinned: false }; }),
    files: ({ p, q }) => { const path = q.get('path') ?? ''; const deep = path.split('/').filter(Boolean).length; const entry = (name, type, size) => ({ name, segment: encodeURIComponent(name), kind: type === 'directory' ? 2 : 1, type, mode: type === 'directory' ? 0o755 : 0o644, uid: 0, gid: 0, size, modified: utc(now - 9e8), target: type === 'symlink' ? '../current' : '' }); return { status: 200, body: { point: p.id, item: p.item, path, fingerprint: hex(9), entries: [...(deep < 3 ? ['Packages', 'Übersetzungen', 'agent setup'].map((n) => entry(n, 'directory', 0)) : []), entry('current', 'symlink', 0), ...Array.from({ length: 14 }, (_, i) => entry(`Symantec Agent ${8 + (i % 3)}.${i} (x64).msi`, 'file', 812_345 * (i + 1) ** 2))], next: null } }; },
    content: () => ({ status: 200, type: 'application/octet-stream', body: 'content of a file\n' }),
    diff: ({ p }) => ({ status: 200, body: { before: p.a, after: p.b, items: [{ item: 'core-settings', changes: [{ kind: 'changed', where: 'SmtpServer', before: 'mail1.example.org', after: 'mail2.example.org' }, { kind: 'added', where: 'MaxConcurrentTasks', before: '', after: '64' }], omitted: 0 }, { item: 'software-library', changes: Array.from({ length: 12 }, (_, i) => ({ kind: ['added', 'removed', 'changed'][i % 3], where: `Packages/agent ${i}.msi`, before: i % 3 === 0 ? '' : '8.1 MB', after: i % 3 === 1 ? '' : '8.4 MB' })), omitted: 1204 }, ...['cmdb', 'registry', 'kms-keys'].map((item) => ({ item, changes: [], omitted: 0 }))] } }),
    jobs: ({ q }) => { const all = [...jobs.values()].sort((a, b) => b.id - a.id).filter((j) => (!q.get('kind') || j.kind === q.get('kind')) && (!q.get('state') || j.state === q.get('state'))); const [list, after] = page(all, q); return { status: 200, body: { jobs: list, next: after } }; },
    job: ({ p }) => (jobs.has(Number(p.job)) ? { status: 200, body: jobs.get(Number(p.job)) } : problem(404, 'not_found', `there is no job ${p.job}`, 'the newest 10,000 are kept')),
    startJob: ({ body }) => {
      const { kind, parameters = {} } = body;
      const does = [kind, ...Object.entries(parameters).filter(([k]) => k !== 'file_password').map(([k, v]) => `--${k} ${Array.isArray(v) ? v.join(',') : typeof v === 'object' ? Object.keys(v) : v}`)].join(' ');
      const job = addJob(kind, does);
      if (kind === 'recover') {
        const left = 'reconfigure-cem';
        recoveries = [{ name: `recovery-${job.id}`, system: 'ns01', point: points[0].id, begun: utc(Date.now()), finished: null, complete: null, steps: [] }, ...recoveries];
        const tick = setInterval(() => { const r = recoveries[0]; const step = stepNames[r.steps.length]; if (!step) { clearInterval(tick); return; } r.steps.push({ step, state: step === left ? 'deferred' : 'done', detail: step === 'cancel-tasks' ? 'ServerTaskInstanceRequests 2,400 of 2,400 rows' : '', time: utc(Date.now()) }); }, 150);
        plan.unfinished = recoveries[0].name;
        return { status: 202, body: run(job, 3, { point: points[0].id, steps: stepNames.map((name) => ({ name, state: name === left ? 'left_to_person' : 'done', detail: '' })), left_for_you: ['Reconfigure Cloud-enabled Management'], complete: false, seconds: 4 }, 3) };
      }
      return { status: 202, body: run(job, 3, { point: points[0]?.id, bytes_read: kTotal, bytes_stored: 48_211_022, seconds: 3, items: [], ...(parameters.file ? { file: parameters.file, bytes: 98_000_000 } : {}) }) };
    },
    acknowledge: ({ body }) => { recoveries[0].steps.push(...body.steps.map((step) => ({ step, state: 'done', detail: 'acknowledged by a person', time: utc(Date.now()) }))); Object.assign(recoveries[0], { finished: utc(Date.now()), complete: true }); plan.unfinished = null; return { status: 202, body: run(addJob('recover', `recover --resume --acknowledge ${body.steps}`), 1, { point: points[0].id, steps: stepNames.map((name) => ({ name, state: 'done', detail: '' })), complete: true, seconds: 1 }) }; },
    stopJob: ({ p }) => { const job = jobs.get(Number(p.job)); job.stopping = true; tellAll('job', job); tellJob(job.id, 'job', job); return { status: 202, body: job }; },
    jobLog: ({ p }) => ({ status: 200, body: { lines: logs.get(Number(p.job)) ?? [], next: null, first: 1 } }),
    schedules: () => ({ status: 200, body: { schedules: Object.keys(settings.settings.schedules).map(scheduleOf), sections_without: ['packages'] } }),
    runSchedule: ({ p }) => ({ status: 202, body: run(addJob('backup', scheduleOf(p.name).does, { schedule: p.name }), 4, { point: points[0]?.id, bytes_read: kTotal, bytes_stored: 1_000_000, seconds: 4 }) }),
    calendar: ({ q }) => { const e = q.get('expression'); return /never|\?\?|xyz/.test(e) ? problem(400, 'config', 'column 1: expected a weekday, a date or a time', "for example 'Mon..Fri 02:30'") : { status: 200, body: { normal_form: e, next: next() } }; },
    settings: () => ({ status: 200, body: settings, headers: { ETag: `"${tag}"` } }),
    changeSettings: ({ body, q, headers }) => {
      if (headers['if-match'] !== `"${tag}"`) return problem(412, 'precondition', '/etc/holdfast/holdfast.toml was changed meanwhile', 'look at what is there now');
      const dry = q.get('dry_run') === 'true';
      const lines = [];
      for (const [name, s] of Object.entries(body.schedules)) for (const key of new Set([...Object.keys(s), ...Object.keys(settings.settings.schedules[name] ?? {})])) { const before = settings.settings.schedules[name]?.[key]; if (JSON.stringify(before) !== JSON.stringify(s[key])) { if (before !== undefined) lines.push(`- ${key} = ${JSON.stringify(before)}`); if (s[key] !== undefined) lines.push(`+ ${key} = ${JSON.stringify(s[key])}`); } }
      if (!dry) { settings = { ...settings, settings: body }; tag += 1; tellAll('changed', { what: 'settings' }); }
      return { status: 200, body: { ...settings, settings: body, changed: !dry, lines, restart: false }, headers: { ETag: `"${tag}"` } };
    },
    plan: ({ q }) => none(plan && find(q.get('point') ?? points[0].id), (p) => ({ ...plan, point: p.id, time: p.time })),
    runBook: () => ({ status: 200, type: 'text/plain', body: runBook(plan) }),
    recoveries: () => ({ status: 200, body: { recoveries } }),
    kit: () => { const k = example('kit'); return { status: 200, body: { ...k, kit: { ...k.kit, written: utc(now - 22 * 86_400_000) }, exports: [...jobs.values()].filter((j) => j.kind === 'export') } }; },
    lookIntoFile: ({ body }) => (body.file_password === 'wrong' ? problem(422, 'wrong_key', 'the password does not open this file', 'it is the one with which the file was written') : { status: 200, body: { points: [makePoint(points[0])] } }),
    reviewRestore: ({ body }) => { const only = body.parameters.items; const list = items.filter((x) => !only || only.includes(x.name)).map((x) => ({ item: x.name, title: x.title, bytes: x.bytes, place: body.parameters.to ? `${body.parameters.to}/${x.name}` : x.place, replaces: !body.parameters.to })); return { status: 200, body: { point: points[0].id, items: list, bytes: list.reduce((s, x) => s + x.bytes, 0), free_bytes: body.parameters.to ? 120e9 : null } }; },
    users: () => ({ status: 200, body: { users } }),
    addUser: ({ body }) => { const u = { name: body.name, role: body.role, created: utc(Date.now()), password_changed: utc(Date.now()) }; users = [...users, u]; return { status: 201, body: u }; },
    changeUser: ({ p, body }) => { users = users.map((u) => (u.name === p.name ? { ...u, ...(body.role ? { role: body.role } : {}) } : u)); return { status: 200, body: users.find((u) => u.name === p.name) }; },
    removeUser: ({ p }) => { users = users.filter((u) => u.name !== p.name); return { status: 204 }; },
    tokens: () => ({ status: 200, body: { tokens } }),
    addToken: ({ body }) => { const t = { ...example('addToken'), token: { ...example('addToken').token, label: body.label, id: 9 } }; tokens = [...tokens, t.token]; return { status: 201, body: t }; },
    removeToken: ({ p }) => { tokens = tokens.filter((t) => t.id !== Number(p.token)); return { status: 204 }; },
    audit: ({ q }) => { const [list, after] = page(makeAudit(now), q); return { status: 200, body: { entries: list, next: after, head: { number: 118, hash: hex(5) } } }; },
  };

  const stream = (response, set) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(':\n\n');
    set.add(response);
    response.on('close', () => set.delete(response));
  };

  return async function answer(request, response) {
    const url = new URL(request.url, 'http://x');
    if (url.pathname === '/dev/end-session') { signedIn = null; for (const s of streams) s.end(); response.end(); return; }
    if (url.pathname === '/dev/fail') { failing = url.searchParams.get('on') === '1'; if (failing) for (const s of streams) s.end(); response.end(); return; }
    if (failing) { request.socket.destroy(); return; }
    const found = routes.find((r) => r.method === request.method && r.pattern.test(url.pathname));
    const reply = ({ status, body, headers = {}, type }) => {
      response.writeHead(status, { 'Content-Type': type ?? (status >= 400 ? 'application/problem+json' : 'application/json'), 'Cache-Control': 'no-store', ...headers });
      response.end(body === undefined ? '' : type ? body : JSON.stringify(body));
    };
    if (!found) { reply(problem(404, 'not_found', `there is nothing at ${url.pathname}`)); return; }
    const { operation } = found, id = operation.operationId, right = operation['x-right'];
    if (right !== 'none' && !signedIn) { reply(problem(401, 'wrong_key', 'you are not signed in', 'sign in')); return; }
    if (!['none', 'any', 'by-kind'].includes(right) && !signedIn.rights.includes(right)) { reply(problem(403, 'permission', `this needs the right ${right}`, 'an administrator can give you another role')); return; }
    const p = Object.fromEntries(Object.entries(found.pattern.exec(url.pathname).groups ?? {}).map(([k, v]) => [k, decodeURIComponent(v)]));
    if (id === 'events') { stream(response, streams); for (const j of jobs.values()) if (j.state !== 'ended') send(response, 'job', j); return; }
    if (id === 'jobEvents') {
      const job = jobs.get(Number(p.job)), set = jobStreams.get(job.id) ?? new Set();
      jobStreams.set(job.id, set);
      stream(response, set);
      send(response, 'job', job);
      for (const l of logs.get(job.id) ?? []) if (l.number > Number(url.searchParams.get('after') ?? 0)) send(response, 'line', l, l.number);
      if (job.state === 'ended') send(response, 'end', job);
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
    if (own[id]) reply(own[id]({ p, q: url.searchParams, body, headers: request.headers }));
    else reply({ status: 200, body: example(id) });
  };
}

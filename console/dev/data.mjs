// What the development server shows: the examples of the API's description, made plentiful. Nothing here is the product's behaviour.
const hex = (seed, length = 64) => {
  let x = seed * 2654435761 + 12345, text = '';
  while (text.length < length) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    text += x.toString(16).padStart(8, '0');
  }
  return text.slice(0, length);
};
export const utc = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const hour = 3_600_000, day = 24 * hour;

// [name, title, kind, section, criticality, bytes, files, if_lost, proven_on, place]
const kItems = [
  ['identity', 'Identity card', 'record', 'configuration', 'critical', 812, 1, 'Nobody knows for certain under which name, path and identity the server must be rebuilt.', 'sample', ''],
  ['product-list', 'Product list', 'record', 'configuration', 'recommended', 2210, 1, 'The exact products and versions must be found out by trial.', 'sample', ''],
  ['kms-keys', 'Notification Server KMS encryption keys', 'encryption_keys', 'configuration', 'critical', 645, 3, 'Everything that the console stored encrypted in the database is unreadable for ever.', 'sample', '/srv/ns01/ProgramData/Symantec/SMP/KMS'],
  ['cmdb', 'Configuration Management Database', 'database', 'database', 'critical', 3_221_225_472, 1, 'All inventory, policies, tasks, reports and settings of the suite are gone.', 'stand-in', '/srv/ns01/Database/Symantec_CMDB.db'],
  ['core-settings', 'Notification Server core settings', 'settings', 'configuration', 'critical', 18_211, 1, 'Every core setting returns to its default.', 'sample', '/srv/ns01/ProgramData/Symantec/SMP/Settings/CoreSettings.config'],
  ['registry', 'Notification Server registry settings', 'registry', 'configuration', 'critical', 40_960, 1, 'Settings that live only in the registry are lost.', 'stand-in', '/srv/ns01/Registry/HKLM-SOFTWARE-Altiris.reg'],
  ['web-config', 'Web configuration: ports, bindings and certificates', 'web_config', 'configuration', 'critical', 22_400, 4, 'Ports, bindings and certificates must be set up again exactly as they were.', 'sample', '/srv/ns01/Windows/System32/inetsrv/config/applicationHost.config'],
  ['root-certificate', 'Notification Server root certificate', 'certificate', 'configuration', 'critical', 6_200, 4, 'Agents no longer trust the server.', 'sample', '/srv/ns01/ProgramData/Symantec/SMP/Certificates'],
  ['site-server-root-certificate', 'Site Server root certificate', 'certificate', 'configuration', 'critical', 6_180, 3, 'Site Servers and the server no longer trust each other.', 'sample', '/srv/ns01/ProgramData/Symantec/SMP/Certificates'],
  ['licences', 'Licences', 'directory', 'configuration', 'recommended', 9_400, 6, 'The suite runs on a trial licence for a few days.', 'sample', '/srv/ns01/ProgramData/Symantec/SMP/Licenses'],
  ['vendor-backup', "Backup file of the vendor's own tool", 'vendor_backup', 'configuration', 'recommended', 48_000_120, 2, 'The only export of real KMS keys that restores is lost.', 'stand-in', '/srv/ns01/Backup/NSConfiguration.backup'],
  ['software-library-share', 'Path, share name and permissions of the Software Library', 'share', 'software-library', 'recommended', 1_120, 1, 'Packages must be given a new share and every policy changed.', 'stand-in', '/srv/ns01/Shares/SoftwareLibrary.share'],
  ['software-library', 'Software Library content', 'directory', 'software-library', 'recommended', 1_591_065_339, 4713, 'Packages must be gathered again.', 'sample', ''],
  ['software-packages', 'Software packages on other shares', 'directory', 'packages', 'recommended', 820_400_000, 1302, 'Installation files must be found again.', 'sample', '/srv/ns01/Packages'],
  ['install-package', 'Installation package', 'install_package', 'packages', 'optional', 912_000_000, 48, 'Nothing guarantees that the new installation matches the database.', 'stand-in', '/srv/ns01/InstallationPackage'],
  ['patch-packages', 'Patch packages', 'directory', 'packages', 'optional', 610_000_000, 877, 'They can be downloaded again, which may take days.', 'sample', '/srv/ns01/Patch Management'],
];
export const items = kItems.map(([name, title, kind, section, criticality, bytes, files, if_lost, proven_on, place]) => ({ name, title, kind, section, criticality, bytes, files, if_lost, proven_on, place }));
const sections = [['database', 'Database Backup'], ['configuration', 'Configuration Backup'], ['software-library', 'Software Library Backup'], ['packages', 'Package Backup']];

export function makePoints(now, count) {
  const points = [];
  for (let i = 0; i < count; i += 1) {
    const time = now - 7 * hour - i * day - (i % 5) * 7 * 60_000;
    const origin = i % 11 === 4 ? 'manual' : i === 37 ? 'imported' : 'scheduled';
    const status = i === 6 ? 'incomplete' : i % 9 === 3 ? 'complete_with_findings' : 'complete';
    const verified = i === 12 ? { level: 'bytes', time: utc(time + 3 * hour), failed: true } : i < 2 || i % 6 === 0 ? null : { level: i % 4 === 1 ? 'restore' : 'content', time: utc(time + 3 * hour), failed: false };
    const part = i % 7 === 5;
    points.push({
      id: hex(i + 1), time: utc(time), system: 'ns01', origin, status, scope: part ? 'partial' : 'full', verified: i === 0 ? { level: 'content', time: utc(time + 2 * hour), failed: false } : verified,
      bytes: part ? 1_591_066_459 : 7_214_000_000 - i * 11_000_000, items: items.map((x) => ({ name: x.name, kind: x.kind, status: x.name === 'cmdb' && status === 'incomplete' ? 'failed' : 'complete', bytes: x.bytes })),
      pinned: i === 4 || i === 20, label: origin === 'manual' ? 'before the upgrade to 8.7.2' : '',
    });
  }
  return points;
}

export function makePoint(p) {
  return {
    id: p.id, system: 'ns01', started: utc(Date.parse(p.time) - 64_000), time: p.time, origin: p.origin, status: p.status, scope: p.scope, label: p.label, tool_version: 'holdfast 0.1.0',
    items: items.map((x) => ({
      name: x.name, kind: x.kind, section: x.section, criticality: x.criticality, status: x.name === 'cmdb' && p.status === 'incomplete' ? 'failed' : x.name === 'registry' && p.status !== 'complete' ? 'complete_with_findings' : 'complete',
      bytes: x.bytes, files: x.files, seconds: x.bytes / 9e7 + 0.02,
      facts: x.kind === 'database' ? { database: 'Symantec_CMDB', tables: '412', rows: '999,949' } : x.kind === 'certificate' ? { subject: 'CN=ns01.example.org', expires: '2031-03-14', thumbprint: hex(77, 40) } : {},
      findings: x.name === 'registry' && p.status !== 'complete' ? [{ code: 'thumbprint_malformed', object: 'CA\\Agent', message: 'the thumbprint is not 40 hex digits', hint: 'type it again: often an invisible character was copied with it' }] : [],
    })),
    identity: { host_name: 'ns01', domain: 'example.org', installation_path: 'C:\\Program Files\\Altiris', application_identity: 'EXAMPLE\\svc-altiris', database_name: 'Symantec_CMDB', 'product.{d0a55ad7}': 'Notification Server 8.7.1', 'product.{aa112bc0}': 'Deployment Solution 8.7.1' },
    findings: [], provenance: {}, pinned: p.pinned, verified: p.verified,
  };
}

export function makeSystem(example) {
  return {
    ...example, title: 'Sample Notification Server (made by Holdfast)',
    sections: sections.map(([name, title]) => ({
      name, title, schedules: name === 'packages' ? [] : [name],
      items: items.filter((x) => x.section === name).map(({ bytes, files, place, ...x }) => ({ ...x, state: x.name === 'software-library' ? 'not_configured' : x.name === 'patch-packages' ? 'excluded' : 'configured', reason: x.name === 'patch-packages' ? 'downloaded again' : null, places: place ? [place] : [] })),
    })),
  };
}

export function makeStatus(example, now, points) {
  const newest = points.find((p) => p.status !== 'incomplete' && p.scope === 'full');
  const age = Math.round((now - Date.parse(newest.time)) / 1000);
  return {
    ...example, time: utc(now), newest_good: newest, proven: newest.verified,
    recovery_point: { objective: '24h', objective_seconds: 86_400, age_seconds: age, met: age <= 86_400 },
    recovery_time: { ...example.recovery_time, measured_at: utc(now - 3 * day) },
    attention: example.attention.map((a) => ({ ...a, since: a.since ? utc(now - 9 * hour) : null, message: a.code === 'schedule_overdue' ? `its run of ${utc(now - 9 * hour)} has not started` : a.message })).concat([
      { code: 'package_stale', object: 'install-package', message: 'the captured installation package is older than what is installed: Notification Server 8.7.1, installed 8.7.2', hint: 'make the package again after the upgrade, then capture it', severity: 'warning', source: 'status', since: null, job: null, schedule: null },
    ]),
    items: items.map((x) => ({ item: x.name, title: x.title, section: x.section, criticality: x.criticality, point: x.name === 'software-library' ? null : newest.id, time: x.name === 'software-library' ? null : newest.time, problem: x.name === 'software-library' ? 'never captured' : '', if_lost: x.if_lost, proven_on: x.proven_on })),
    outside: ['Windows, IIS and the database server must be installed before the recovery: Holdfast installs none of them.', 'Directory accounts, their passwords and group memberships must exist already, the application identity above all.', 'DNS must lead the old server name to the new machine.', 'Agents, Internet gateways and Site Servers are not backed up; they find the recovered server again by its name and certificates.'],
    service: { ...example.service, started: utc(now - 2 * day), running_jobs: 1 },
  };
}

// [name, title, group, kind, by_person, deferrable, instructions, does]
const kSteps = [
  ['confirm-old-server-off', 'Confirm that the old server is off', 0, 'confirm', true, false, 'Make sure that the old server is really off and stays off: switched off, or cut from the network. Two servers of one name give agents contradicting orders.', []],
  ['stop-services', 'Stop the services of the server', 0, 'stop_services', false, false, '', ['/usr/bin/systemctl stop altiris-server']],
  ['restore-install-package', 'Bring back the installation package', 2, 'restore', false, false, '', ['install-package is written to /srv/ns01/InstallationPackage (912 MB)']],
  ['install', 'Install the same products and versions', 2, 'install', false, false, '', ['7 products, platform 8.7.1, into C:\\Program Files\\Altiris']],
  ['reconfigure-cem', 'Reconfigure Cloud-enabled Management', 2, 'manual', true, true, 'Set up Cloud-enabled Management again in the console, as the restored sheet cem-sheet says: the agent site and its port, the Internet gateways, and the certificates.', []],
  ['set-aside-database', 'Set aside the database of the clean installation (renamed, never dropped)', 1, 'set_aside', false, false, '', ['Symantec_CMDB.db is renamed']],
  ['restore-database', 'Restore the Configuration Management Database under the same name', 1, 'restore', false, false, '', ['cmdb is written to /srv/ns01/Database/Symantec_CMDB.db (3.2 GB)']],
  ['cancel-tasks', 'Cancel all tasks in the restored database', 1, 'fixup', false, false, '', ['ServerTaskInstanceRequests is emptied', 'ServerTaskInstanceStates is emptied', 'ClientTaskInstanceRequests is emptied', 'TaskInstanceStatus: InstanceStatus=3 where it is <=1']],
  ['restore-kms-keys', 'Restore the KMS encryption keys', 3, 'restore', false, false, '', ['kms-keys: 3 files']],
  ['restore-certificates', 'Restore the root certificates of Notification Server and Site Servers', 3, 'restore', false, false, '', []],
  ['restore-core-settings', 'Restore the core settings', 3, 'restore', false, false, '', []],
  ['start-services', 'Start the services of the server', 3, 'start_services', false, false, '', []],
  ['check-server', 'Check what came back: database, keys, certificates, settings, files', 4, 'check', false, false, '', []],
];

export function makePlan(point) {
  return {
    point: point.id, time: point.time, install_first: true,
    steps: kSteps.map(([name, title, group, kind, by_person, deferrable, instructions, does]) => ({ name, title, group, kind, by_person, deferrable, instructions, after: [], state: 'pending', detail: '', does })),
    preflight: [['every critical item is in the point', true, '9 of 9'], ['there is room', true, '7.2 GB needed, 120 GB free'], ['places can be written', true, '14 of 14'], ['the fix-ups know this version', true, 'Symantec Management Platform 8.7.1'], ['the repository is what was remembered', true, 'head HF1-2QK7-9XWM']].map(([name, passed, detail]) => ({ name, passed, detail })),
    differences: [{ what: 'operating_system_version', lost: '12.8', here: '12.9', blocking: false }],
    findings: [{ code: 'head_not_checked', object: 'repository', message: 'whether it holds a newer point that was taken away was not checked', hint: 'give the head code from the kit' }],
    passed: true, refusal: null, unfinished: null,
  };
}
export const stepNames = kSteps.map(([name]) => name);

export function runBook(plan) {
  return `Recovery of ns01 from recovery point ${plan.point.slice(0, 12)}, ${plan.time}\n\n` + plan.steps.map((s, i) => `[ ] ${i + 1}. ${s.title}\n${s.does.map((d) => `       ${d}\n`).join('')}${s.instructions ? `       ${s.instructions.replace(/(.{1,68})( |$)/g, '$1\n       ').trim()}\n` : ''}`).join('\n');
}

export function makeGrowth(now, points) {
  const samples = [], full = points.slice(0, 90).reverse();
  let stored = 2.6e9;
  full.forEach((p, i) => {
    stored += 18e6 + (i % 7 === 0 ? 60e6 : 0);
    if (i % 30 === 29) stored -= 420e6;
    samples.push({ time: p.time, stored_bytes: Math.round(stored), protected_bytes: 7_000_000_000 * (i + 8), points: i + 8 });
  });
  return {
    points: full.map((p, i) => ({ point: p.id, time: p.time, origin: p.origin, scope: p.scope, section: p.scope === 'full' ? '' : 'software-library', protected_bytes: p.bytes, seconds: p.scope === 'full' ? 61 + (i % 9) * 2.1 + i * 0.12 : 14 + (i % 5) })),
    samples, now: { stored_bytes: Math.round(stored), protected_bytes: 7_000_000_000 * 98, points: points.length, ratio: (7_000_000_000 * 98) / stored },
  };
}

export function makeAudit(now) {
  const acts = [['anna', '10.0.4.17', 'sign-in', 'anna', 'done', ''], ['schedule configuration', 'service', 'job.start', 'job 42', 'done', 'backup --section configuration'], ['anna', '10.0.4.17', 'settings.change', '/etc/holdfast/holdfast.toml', 'done', 'schedule.configuration.calendar'], ['bert', '10.0.4.22', 'sign-in', 'bert', 'failed', 'wrong password, 2 failures'], ['bert', '10.0.4.22', 'job.start', 'restore', 'refused', 'needs the right recover'], ['root', 'command line', 'user.add', 'carla', 'done', 'role operator']];
  return Array.from({ length: 118 }, (_, i) => {
    const [who, origin, action, object, outcome, detail] = acts[i % acts.length];
    return { number: 118 - i, time: utc(now - i * 47 * 60_000), who, origin, action, object, outcome, detail };
  });
}
export { hex };

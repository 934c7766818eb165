// The installation package beside what is installed: only a package that matches brings back exactly this server.
import type { JSX } from 'preact';
import { call } from '../api/client';
import { Loaded, useResource } from '../api/resource';
import type { PackageLine } from '../api/schema';
import { counted } from '../format/size';
import { Act, startJob } from '../ui/act';
import { FindingList } from '../ui/alert_list';
import { Badge, Card, Empty, Facts, Notice, PageHead, PointLink, Time, type Tone } from '../ui/parts';
import { Table } from '../ui/table';

const kState: Record<PackageLine['state'], { tone: Tone; text: string }> = {
  same: { tone: 'ok', text: 'same version' },
  package_older: { tone: 'bad', text: 'package is older' },
  package_newer: { tone: 'warn', text: 'package is newer' },
  not_in_package: { tone: 'bad', text: 'not in the package' },
  not_installed: { tone: 'info', text: 'not installed' },
};

export function PackagePage(): JSX.Element {
  const shown = useResource((abort) => call('package', { abort }), [], ['points']);
  return (
    <div class="stack">
      <PageHead title="Installation package" lead="Make it again in the installation manager after every installation or upgrade, then capture it.">
        <Act right="operate" icon="play" onAct={() => startJob({ kind: 'backup', parameters: { items: ['install-package', 'product-list', 'identity'] } })}>Capture it now</Act>
      </PageHead>
      <Loaded from={shown} lines={6}>
        {(p) => {
          const wrong = p.products.filter((l) => l.state !== 'same' && l.state !== 'not_installed').length;
          return (
            <>
              {p.package === null ? <Notice tone="warn" what="No recovery point holds an installation package." hint="Without it a recovery lists the exact products and versions, and a person has to find and install each of them." />
                : wrong ? <Notice tone="bad" what={`${counted(wrong, 'product')} would not come back as ${wrong === 1 ? 'it is' : 'they are'} now.`} hint="Make a new package from what is installed, and capture it." />
                : <Notice tone="ok" what="The package installs exactly what is installed here." />}
              {p.package ? (
                <Card title="The package">
                  <Facts rows={[['Made', p.package.made || 'not said'], ['Platform version', p.package.platform_version || 'not said'], ['In recovery point', <span key="p"><PointLink id={p.package.point} /> of <Time at={p.package.time} /></span>]]} />
                </Card>
              ) : null}
              <Card title="Products" plain>
                <Table caption="Installed products beside the package" rows={p.products} rowKey={(l) => l.id || l.name} empty={<Empty what={p.installed ? 'No product is known' : 'What is installed is not known here'} />} columns={[
                  { key: 'name', title: 'Product', head: true, cell: (l) => <span title={l.id}>{l.name}</span>, sort: (l) => l.name },
                  { key: 'installed', title: 'Installed', cell: (l) => l.installed ?? <span class="muted">no</span> },
                  { key: 'package', title: 'In the package', cell: (l) => l.package ?? <span class="muted">no</span> },
                  { key: 'state', title: 'Compared', cell: (l) => <Badge tone={kState[l.state].tone}>{kState[l.state].text}</Badge>, sort: (l) => l.state },
                ]} />
              </Card>
              {p.findings.length ? <Card title="Findings" plain><FindingList findings={p.findings} /></Card> : null}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

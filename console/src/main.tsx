import { render } from 'preact';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import { startLive } from './api/live';
import { App } from './app';
import { startRouter } from './router';
import { applyTheme } from './theme';

applyTheme();
startRouter();
startLive();
render(<App />, document.getElementById('app')!);

// What went wrong, in the four parts of the command line: what happened, what is still safe, what to do next, the code.
// The service sends RFC 9457 problems; everything else (no network, a proxy's page) is put into the same form here.

export interface Problem {
  status: number; // 0: the service did not answer
  code: string;
  title: string;
  detail: string;
  safe: string;
  hint: string;
  retryAfter: number | null; // seconds, from Retry-After
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export function problemFrom(status: number, body: unknown, retryAfter: string | null): Problem {
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const wait = retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null;
  const title = text(given['title']);
  return {
    status,
    code: text(given['code']),
    title: title === '' ? kTitles[status] ?? `The service answered ${status}` : title,
    detail: text(given['detail']),
    safe: text(given['safe']),
    hint: text(given['hint']) || (title === '' ? kHints[status] ?? '' : ''),
    retryAfter: wait,
  };
}

const kTitles: Record<number, string> = {
  401: 'You are not signed in',
  403: 'Your role does not allow this',
  404: 'This does not exist',
  409: 'Something else changed it meanwhile',
  412: 'It was changed meanwhile',
  429: 'Too many tries',
  502: 'A proxy in front of Holdfast got no answer from it',
  503: 'The service is busy',
  504: 'A proxy in front of Holdfast got no answer from it in time',
};
const kHints: Record<number, string> = {
  401: 'Sign in again.',
  403: 'Ask an administrator for a role that allows it.',
  409: 'Reload, look at what is there now, then make your change again.',
  412: 'Reload, look at what is there now, then make your change again.',
  503: 'Wait a moment, then try again.',
};

// No answer came. A request that only reads changed nothing; of one that changes something nobody here knows whether it arrived.
export function unreachable(reads: boolean): Problem {
  return {
    status: 0,
    code: 'unreachable',
    title: 'The service does not answer',
    detail: reads ? 'the service does not answer: this could not be loaded' : 'the service does not answer: whether the change was made is not known',
    safe: 'recovery points are not touched by this',
    hint: reads
      ? "Is the network up, and does 'systemctl status holdfast' on the server say that it runs?"
      : 'When the service answers again, reload and look before you repeat it.',
    retryAfter: null,
  };
}

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return {
    status: 0,
    code: 'console',
    title: 'This page failed',
    detail: error instanceof Error ? error.message : String(error),
    safe: 'the service and its recovery points are not touched by this',
    hint: 'Reload the page. If it happens again, please report it with this text.',
    retryAfter: null,
  };
}

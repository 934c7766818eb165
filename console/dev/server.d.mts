export function serve(options?: { port?: number; built?: boolean; role?: string; state?: string; points?: number }): Promise<{ url: string; close: () => Promise<void> }>;

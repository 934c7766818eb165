import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

// The width of an element in CSS pixels, followed while the window changes; 0 before the first look.
export function useWidth(ref: RefObject<Element>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver((entries) => setWidth(Math.floor(entries[0]?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

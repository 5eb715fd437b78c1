/**
 * A screen that shows how recovery stands, drawn anew whenever there is news or the
 * terminal has another size. The last picture stays when it is closed.
 *
 * What is on it is given as lines (recovery-frame.ts); here they get their colours, none
 * where NO_COLOR is set, and q and Ctrl-C are heard. This file and ink are loaded by those
 * alone who draw (live-recovery.ts); it imports nothing else of ours, so that little is
 * read from the disk for it.
 */
import { Box, Text, render, useInput, useStdout } from 'ink';
import { useEffect, useState, type ReactElement } from 'react';
import type { Line, Room, Tone } from './recovery-frame.js';

/** What is on the screen when there is so much room. */
export type Frame = (room: Room) => readonly Line[];

export interface ScreenOptions {
  readonly isColoured: boolean;
  /** Can keys be read? */
  readonly hasKeys: boolean;
  /** Somebody has pressed a key that means: enough. */
  onLeave(key: 'q' | 'Ctrl-C'): void;
}

export interface Screen {
  draw(frame: Frame): void;
  close(): Promise<void>;
}

const styles: Readonly<Record<Tone, { readonly bold?: true; readonly dimColor?: true; readonly color?: string }>> = {
  plain: {},
  strong: { bold: true },
  faint: { dimColor: true },
  done: { color: 'green' },
  now: { bold: true, color: 'yellow' },
  bad: { bold: true, color: 'red' },
};

export function openScreen(options: ScreenOptions): Screen {
  let frame: Frame = () => [];
  const view = (isOver = false): ReactElement => <RecoveryView frame={frame} isOver={isOver} {...options} />;
  const drawn = render(view(), { exitOnCtrlC: false, patchConsole: false });
  return {
    draw(next) {
      frame = next;
      drawn.rerender(view());
    },
    async close() {
      // Another picture than before: after the screen has become smaller, ink ends the line below it only then.
      drawn.rerender(view(true));
      drawn.unmount();
      await drawn.waitUntilExit();
    },
  };
}

interface Shown extends ScreenOptions {
  readonly frame: Frame;
  /** Nobody hears keys any more. */
  readonly isOver: boolean;
}

const leaveHint = '   q leaves';

export function RecoveryView({ frame, isColoured, hasKeys, isOver, onLeave }: Shown): ReactElement {
  const lines = frame(useRoom());
  useInput(
    (input, key) => {
      if (input === 'q') onLeave('q');
      else if (key.ctrl && input === 'c') onLeave('Ctrl-C');
    },
    { isActive: hasKeys },
  );
  return (
    <Box flexDirection="column">
      {lines.map((line, row) => (
        <Text key={row} wrap="truncate-end">
          {line.map(({ words, tone }, at) => (
            <Text key={at} {...(isColoured ? styles[tone] : {})}>
              {words}
            </Text>
          ))}
          {hasKeys && !isOver && row === lines.length - 1 ? leaveHint : ''}
        </Text>
      ))}
    </Box>
  );
}

/** What a terminal has that does not say how large it is. */
const usual: Room = { columns: 80, rows: 24 };

/** The last row stays free: a picture as high as the screen would make it scroll. */
function useRoom(): Room {
  const { stdout } = useStdout();
  const [size, setSize] = useState(() => sizeOf(stdout));
  useEffect(() => {
    const resized = (): void => setSize(sizeOf(stdout));
    stdout.on('resize', resized);
    return () => void stdout.off('resize', resized);
  }, [stdout]);
  return size;
}

function sizeOf({ columns, rows }: NodeJS.WriteStream): Room {
  return { columns: columns || usual.columns, rows: (rows || usual.rows) - 1 };
}

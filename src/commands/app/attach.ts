/**
 * Be the application of a lockspace on this node, by hooks.
 */
import * as Flags from '@oclif/core/flags';
import { defaultLockspace } from '../../core/index.js';
import { AppSession } from '../../terminal/app-session.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { durationFlag, lockspaceFlag, quietFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { SignalWatch } from '../../terminal/signals.js';

const suspendMillisUsual = 30_000;
const hook = (summary: string) => Flags.string({ helpValue: 'LINE', required: true, summary, helpGroup: 'HOOK' });

export default class AppAttach extends BaseCommand {
  static override summary = 'Suspend, recover and resume an application when a member of the cluster fails';
  static override usage = 'app attach [-l NAME] --on-suspend LINE --on-recover LINE --on-resume LINE';
  static override description = prose`
    Joins the lockspace with an application, and stays until INT or TERM. It begins suspended. When a member that had an
    application fails, every application is suspended; when the failed one is fenced, --on-recover is run on one node for
    its slot; then all resume. The first one in a lockspace that nobody uses has all slots recovered before.

    A LINE is run by sh -c, in a session of its own, one after another, with nothing to read; what it prints goes to
    standard error. Exit code 0 means that it is done. A suspension that fails or is not done in time costs the node its
    place in the cluster; a recovery that fails is given to the next node. What a LINE leaves running in its session is
    part of the application.

    It finds PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_ALL, TZ, TMPDIR and DLM_DIR as they were, what --pass names, and
    DLM_EVENT (suspend, recover or resume), DLM_LOCKSPACE, DLM_GENERATION, and DLM_SLOT, the slot of this node. To
    recover also DLM_FAILED_SLOT (a number, or all), DLM_FAILED_NODE, and DLM_RECOVERY: by this secret, dlm takes
    locks for it while all others have to wait. It is good until the LINE has ended.

    The first INT or TERM suspends the application and leaves the lockspace in good order. If this command dies instead,
    or a second signal ends it, the node ends all its processes and leaves the lockspace as failed, and others recover.
    Each event is a line on standard output; with --json, a document.`;
  static override examples = [
    { description: 'A store with a journal for each slot', command: "<%= config.bin %> app attach -l store --on-suspend './stop' --on-recover './replay $DLM_FAILED_SLOT' --on-resume './start &'" },
  ];
  static override flags = {
    ...lockspaceFlag,
    'on-suspend': hook('have the application touch its data no more'),
    'on-recover': hook('put in order what a failed member has left behind; may be run more than once'),
    'on-resume': hook('let the application go on'),
    'suspend-timeout': durationFlag({ summary: 'how long a suspension may take [default: 30s]' }),
    'recover-timeout': durationFlag({ summary: 'how long a recovery may take; as long as it needs if not given' }),
    order: Flags.string({ helpValue: 'ORDER', summary: 'what follows a failure, in which order: gfs, or written out [default: that of the lockspace, or gfs]' }),
    pass: Flags.string({ helpValue: 'NAME', multiple: true, multipleNonGreedy: true, summary: 'a variable that hooks find as it is here; may be repeated' }),
    ...quietFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AppAttach);
    const signals = new SignalWatch();
    const client = await this.reach(null, `dlm app attach -l ${flags.lockspace ?? defaultLockspace}`);
    const terms = {
      lockspace: flags.lockspace ?? defaultLockspace,
      onSuspend: flags['on-suspend'],
      onRecover: flags['on-recover'],
      onResume: flags['on-resume'],
      suspendMillis: flags['suspend-timeout'] ?? suspendMillisUsual,
      recoverMillis: flags['recover-timeout'] ?? null,
      order: flags.order,
      handOn: flags.pass ?? [],
    };
    const telling = {
      say: (words: string, document: object) => void process.stdout.write(this.jsonEnabled() ? `${JSON.stringify(document)}\n` : `${words}\n`),
      warn: (words: string) => this.warnPeople(words),
    };
    await new AppSession(client, terms, telling).run(signals);
  }
}

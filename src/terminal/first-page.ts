/**
 * What somebody sees who types `dlm` and nothing else.
 *
 * Written by hand, because a list of commands in the order of the alphabet does not
 * tell where to begin. A test compares it with the commands that exist.
 */

const page = `dlm runs commands under locks, so that they do not get into each other's way.

  dlm lock NAME -- COMMAND…        wait for the lock, run the command, give the lock back
  dlm lock NAME -m PR -- COMMAND…  share it with others who use -m PR; writers wait
  dlm lock NAME -w 10 -- COMMAND…  give up after ten seconds (-n: at once)
  dlm locks                        who holds what, and who waits

NAME is any word: scripts that use the same one take turns. Whatever dies, the lock is free
only when the command is gone. The first lock starts a node in the background; nothing has to
be set up.

Locks
  lock         run a command under a lock, or take a lock and print its id
  convert      change the mode of a lock
  unlock       give a lock back
  cancel       take back what a lock waits for
  lvb          the value of a resource: get, set, incr, cas, drop
  wait         for a name to be free, for members, for the end of a recovery
  modes        the six lock modes, and which get on with which
  shellenv     for scripts that lock a lot: functions for bash and zsh
  session      for programs in any language: lines of JSON

To look
  locks        who holds, who converts, who waits
  lockspace    worlds of names: create, list, show, dump, remove
  orphans      locks that outlived their owners: list, adopt, purge
  codes        what the exit codes mean

The node, and its cluster
  node         join, leave, list, status
  members      who is in the cluster, and who comes and goes (--watch)
  fence        failed nodes: test whether they can be fenced, node (fence one), ack (say that one is off), history
  recover      what follows a failure: status, watch, show, verify, plan, run
  app          attach: an application that suspends, recovers the data of failed nodes, and resumes
  token        check: let a resource refuse whoever comes with an older token

For those who do not believe it
  sim          conformance: the lock law against recordings of a running kernel
               run: a simulated cluster from a seed, with everything going wrong
               scenario: a story of what happens to nodes, message by message
               replay: the recorded life of a node, lived through again

Every command has --help, with examples, and --json. dlm --version tells the version.
`;

export function firstPage(): string {
  return page;
}

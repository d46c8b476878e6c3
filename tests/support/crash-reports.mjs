// What a process of apache2 that crashed left behind: a stack of crash_report.so, or a report of AddressSanitizer.
import { spawnSync } from 'node:child_process';

const ourModule = 'mod_auth_proconnect';

/** The frames below the signal handler, innermost first: [{object, name}]. */
export function framesOf(report) {
  const frames = [];
  for (const line of report.split('\n')) {
    const plain = /^(\/\S+?)\((\w*)\+0x[0-9a-f]+\)\[0x[0-9a-f]+\]/.exec(line);
    const sanitizer = /^\s+#\d+ 0x[0-9a-f]+\s+(?:in (\S+) .*?)?\(?(\/[^\s()]+\.so[.\d]*|\/[^\s()]*apache2)\+0x[0-9a-f]+\)/.exec(line);
    if (plain) frames.push({ object: plain[1], name: plain[2] });
    else if (sanitizer) frames.push({ object: sanitizer[2], name: sanitizer[1] ?? '' });
    else if (frames.length > 0 && line.trim() === '') break;
  }
  const handler = frames.findIndex(({ object }) => object.endsWith('/crash_report.so'));
  return handler < 0 ? frames : frames.slice(handler + 2);   // and the return from the handler, in libc
}

/**
 * A crash of httpd's own at a full stop, with any module or none: event's and worker's close_worker_sockets() closes, from the main thread, the sockets
 * of connections that other threads are just freeing. The child was ending anyway. Nothing of the module may be on the stack.
 */
export function isHttpdsOwnAtStop(report) {
  const frames = framesOf(report);
  const caller = frames.findIndex(({ object }) => !/\/lib(apr-1|c)\.so/.test(object));
  return caller > 0 && /\/mod_mpm_(event|worker)\.so$/.test(frames[caller].object) && !report.split(/^[0-9a-f]+-[0-9a-f]+ /m)[0].includes(ourModule)
    && frames.slice(0, caller).some(({ name }) => /^apr_(os_sock_get|socket_timeout_set|socket_close)$/.test(name));
}

export const pidOf = (report) => Number(/thread \d+ of process (\d+)/.exec(report)?.[1] ?? /^==(\d+)==/m.exec(report)?.[1]);

/** Names the lines of the source in the stack of a crash. */
export function withSources(report) {
  return report.replace(/^(\S+\.so\S*)\(\+(0x[0-9a-f]+)\).*$/gm, (line, object, offset) => {
    const named = spawnSync('addr2line', ['-Cfpe', object, offset], { encoding: 'utf8' });
    return named.status === 0 ? `${line} ${named.stdout.trim()}` : line;
  });
}

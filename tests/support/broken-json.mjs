// Ways to spoil a JSON object, each of which a strict reader must refuse. Each takes the object's text and returns text or bytes.

/** The object with one more member in front, whose text is given literally. */
const withMember = (member) => (text) => Buffer.concat([Buffer.from('{'), Buffer.isBuffer(member) ? member : Buffer.from(member), Buffer.from(`,${text.slice(1)}`)]);

export const brokenJson = {
  'a key twice': withMember('"x":1,"x":1'),
  'its first key twice': (text) => `{${/^\{("[^"]*":("[^"]*"|[^,]*)),/.exec(text)[1]},${text.slice(1)}`,
  'a key twice, once escaped': withMember('"x":1,"\\u0078":2'),
  'arrays 10 000 deep': withMember(`"x":${'['.repeat(10_000)}${']'.repeat(10_000)}`),
  'objects 10 000 deep': withMember(`"x":${'{"x":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
  'invalid UTF-8': withMember(Buffer.from([0x22, 0x78, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22])),
  'overlong UTF-8': withMember(Buffer.from([0x22, 0x78, 0x22, 0x3a, 0x22, 0xc0, 0xaf, 0x22])),
  'a surrogate in UTF-8': withMember(Buffer.from([0x22, 0x78, 0x22, 0x3a, 0x22, 0xed, 0xa0, 0x80, 0x22])),
  'a lone high surrogate': withMember('"x":"\\ud83d"'),
  'a lone low surrogate': withMember('"x":"\\ude00 "'),
  'an escaped NUL': withMember('"x":"a\\u0000b"'),
  'a NUL': withMember('"x":"a\0b"'),
  'a line break inside a string': withMember('"x":"a\nb"'),
  'a string of 1 MiB': withMember(`"x":"${'a'.repeat(1024 * 1024)}"`),
  '50 000 members': withMember(Array.from({ length: 50_000 }, (_, index) => `"k${index}":0`).join(',')),
  'a number with a leading zero': withMember('"x":01'),
  'NaN': withMember('"x":NaN'),
  'a comment': withMember('/* hello */ "x":1'),
  'a comma at the end': (text) => `${text.slice(0, -1)},}`,
  'single quotes': withMember("'x':1"),
  'something after its end': (text) => `${text} {}`,
  'a NUL after its end': (text) => `${text}\0`,
  'a byte order mark': (text) => `\ufeff${text}`,
  'no end': (text) => text.slice(0, -1),
};

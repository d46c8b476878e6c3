// Makes the mutants of a C++ source text: each a small change that a test should notice. Works on tokens, not on a syntax tree, and knows just as much of
// C++ as the style of this code needs (binary operators stand between blanks, templates do not).

const TOKEN = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`,
    String.raw`(?<directive>^[ \t]*#[^\n]*)`,
    String.raw`(?<text>R"\((?:[\s\S]*?)\)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')`,
    String.raw`(?<number>(?:0[xX][0-9a-fA-F']+|\d[\d']*)(?:\.\d+)?[uUlLzZfF]*)`,
    String.raw`(?<word>[A-Za-z_]\w*)`,
    String.raw`(?<sign><=>|->|::|&&|\|\||==|!=|<=|>=|\+=|-=|\|=|&=|\+\+|--|[-+*\/%&|^!~<>=?:;,.(){}\[\]])`,
  ].join('|'),
  'gm',
);

function tokenize(source) {
  const tokens = [];
  for (const match of source.matchAll(TOKEN)) {
    const kind = Object.keys(match.groups).find(name => match.groups[name] !== undefined);
    if (kind !== 'comment' && kind !== 'directive') tokens.push({ kind, text: match[0], start: match.index, end: match.index + match[0].length });
  }
  // `pair`: the index of the bracket that closes or opens this one; `parent`: the innermost open bracket.
  const open = [];
  tokens.forEach((token, i) => {
    token.parent = open.at(-1) ?? -1;
    if (token.kind !== 'sign') return;
    if ('([{'.includes(token.text)) open.push(i);
    if (')]}'.includes(token.text)) {
      token.pair = open.pop();
      tokens[token.pair].pair = i;
      token.parent = tokens[token.pair].parent;
    }
  });
  return tokens;
}

const SWAPS = { '==': '!=', '!=': '==', '<': '<=', '<=': '<', '>': '>=', '>=': '>', '&&': '||', '||': '&&', '+': '-', '-': '+' };
const OPERAND_ENDS = new Set(['&&', '||', ',', ';', '?', ':', '=', 'return', '{', '}']);

/// All mutants: { start, end, replacement, what, place, line, lineText }; `what` in words, `place` the function.
export function mutantsOf(source) {
  const tokens = tokenize(source);
  const found = [];
  const text = (from, to) => source.slice(tokens[from].start, tokens[to].end).replace(/\s+/g, ' ');
  const add = (start, end, replacement, what) => found.push({ start, end, replacement, what });
  const replaceToken = (token, replacement, what = `${token.text} becomes ${replacement}`) => add(token.start, token.end, replacement, what);
  const isBinary = token => /\s/.test(source[token.start - 1]) && /\s/.test(source[token.end]);

  /// The span of the condition in if (...), and how to negate it.
  function condition(open, mutate) {
    const close = tokens[open].pair;
    let first = open + 1;
    for (let i = open + 1; i < close; i++) if (tokens[i].text === ';' && tokens[i].parent === open) first = i + 1;
    const declared = first === open + 1 && tokens.slice(first, close).find((t, k, all) => t.kind === 'word' && all[k + 1]?.text === '=' && t.parent === open);
    const whole = source.slice(tokens[first].start, tokens[close - 1].end);
    const [what, replacement] = declared ? mutate(declared.text) : mutate(whole);
    add(tokens[first].start, tokens[close - 1].end, declared ? `${whole}; ${replacement}` : replacement, `${what}: ${text(first, close - 1)}`);
  }

  tokens.forEach((token, i) => {
    const next = tokens[i + 1];
    const previous = tokens[i - 1];
    if (token.text === 'if' && next?.text === '(') {
      condition(i + 1, it => ['condition inverted', `!(${it})`]);
      condition(i + 1, it => ['condition never true', `(${it}) && false`]);
    }
    if (token.kind === 'sign' && SWAPS[token.text] && isBinary(token) && next.text !== ']') {
      // An rvalue reference or the plus of a concatenation is no operator of ours.
      const isConcatenation = '+-'.includes(token.text) && [previous, next].some(t => t.kind === 'text' || t.text === 'to_string' || t.text === 'std' || t.text === 'detail');
      if (!isConcatenation) replaceToken(token, SWAPS[token.text]);
    }
    if (token.kind === 'sign' && (token.text === '&&' || token.text === '||') && isBinary(token)) dropOperands(i);
    if (token.text === '!' && token.kind === 'sign' && !isWholeCondition(i)) add(token.start, token.end, '', `! removed before ${operandAfter(i)}`);
    if (token.kind === 'number' && /^[\dxXa-fA-F']+$/.test(token.text) && !isInTable(i)) {
      const value = Number(token.text.replaceAll("'", ''));
      replaceToken(token, String(value + 1));
      if (value > 0) replaceToken(token, String(value - 1));
    }
    if (token.text === 'ErrorCode' && next?.text === '::') {
      const name = tokens[i + 2];
      if (!/=\s*$/.test(source.slice(Math.max(0, token.start - 40), token.start).split('\n').at(-1).trimEnd()) && name.kind === 'word') {
        replaceToken(name, name.text === 'internal_error' ? 'crypto_failure' : 'internal_error');
      }
    }
    if (token.kind === 'word' && (token.text === 'true' || token.text === 'false')) replaceToken(token, token.text === 'true' ? 'false' : 'true');
    if (token.text === 'return' && next?.kind !== 'text') invertReturn(i);
    if ((token.text === 'continue' || token.text === 'break') && next?.text === ';') add(token.start, token.end, '', `${token.text} deleted`);
    if (i > 0 && token.kind !== 'text' && [';', '{', '}'].includes(previous.text) && previous.kind === 'sign') deleteStatement(i);
  });
  for (const mutant of found) mutant.place = functionAround(mutant.start);
  return unique(found.sort((a, b) => a.start - b.start || a.end - b.end), source);

  /// The name of the function that holds this place; "" outside of all.
  function functionAround(place) {
    let name = '';
    tokens.forEach((token, i) => {
      if (token.text !== '{' || token.kind !== 'sign' || token.start > place || tokens[token.pair].end < place) return;
      let j = i - 1;
      while (['const', 'noexcept', 'override'].includes(tokens[j]?.text)) j--;
      if (name === '' && tokens[j]?.text === ')') name = tokens[tokens[j].pair - 1]?.text ?? '';
    });
    return name;
  }

  /// A table of numbers is data, not a limit.
  function isInTable(i) {
    const bracket = tokens[i].parent;
    return bracket >= 0 && tokens[bracket].text === '{' && tokens.slice(bracket + 1, tokens[bracket].pair).filter(t => t.kind === 'number').length > 8;
  }

  /// Without its "!" the condition is the inverted one, which is made already.
  function isWholeCondition(i) {
    const bracket = tokens[i].parent;
    if (bracket < 1 || tokens[bracket - 1].text !== 'if' || !['(', ';'].includes(tokens[i - 1].text)) return false;
    return !tokens.slice(i + 1, tokens[bracket].pair).some(t => t.parent === bracket && (SWAPS[t.text] || t.text === '?'));
  }

  function operandAfter(i) {
    let end = i + 1;
    while (tokens[end + 1] && (['::', '.', '->'].includes(tokens[end].text) || ['::', '.', '->'].includes(tokens[end + 1].text) || (tokens[end + 1].text === '(' && tokens[end].kind === 'word'))) {
      end = tokens[end + 1].text === '(' ? tokens[end + 1].pair : end + 1;
    }
    return text(i + 1, tokens[end].text === '(' ? tokens[end].pair : end);
  }

  /// Each operand of a && or || on its own; an operand between two operators goes with the one before it.
  function dropOperands(i) {
    const within = j => tokens[j].parent === tokens[i].parent;
    const bracket = tokens[i].parent;
    const ends = j => j === bracket || (bracket >= 0 && j === tokens[bracket].pair) || (within(j) && OPERAND_ENDS.has(tokens[j].text));
    let first = i - 1;
    while (!ends(first)) first--;
    let last = i + 1;
    while (!ends(last)) last++;
    add(tokens[i].start, tokens[last - 1].end, '', `operand dropped: ${text(i + 1, last - 1)}`);
    if (!['&&', '||'].includes(tokens[first].text)) add(tokens[first + 1].start, tokens[i].end, '', `operand dropped: ${text(first + 1, i - 1)}`);
  }

  function invertReturn(i) {
    let end = i + 1;
    while (tokens[end].text !== ';' || tokens[end].parent !== tokens[i].parent) end++;
    // Only what may be a truth value; the compiler sorts out the rest.
    const logical = tokens.slice(i + 1, end).some(t => t.parent === tokens[i].parent && ['&&', '||', '==', '!='].includes(t.text) && isBinary(t));
    const hasChoice = tokens.slice(i + 1, end).some(t => t.text === '?');
    if (!hasChoice && (logical || end === i + 2)) add(tokens[i + 1].start, tokens[end - 1].end, `!(${source.slice(tokens[i + 1].start, tokens[end - 1].end)})`, `return value inverted: ${text(i + 1, end - 1)}`);
  }

  /// An expression statement: name, or a path to a member, and then an assignment or a call.
  function deleteStatement(i) {
    let j = i;
    const isIncrement = tokens[i].text === '++';
    if (isIncrement) j++;
    if (tokens[j]?.kind !== 'word' || /^(return|if|for|while|switch|case|using|namespace|const|constexpr|static|auto|struct|class|else|default|break|continue|enum|template|inline|public|private)$/.test(tokens[j].text)) return;
    while (['::', '.', '->'].includes(tokens[j + 1]?.text)) j += 2;
    while (tokens[j + 1]?.text === '[') j = tokens[j + 1].pair;
    if (!isIncrement && !['=', '(', '+='].includes(tokens[j + 1]?.text)) return;
    let end = j + 1;
    while (end < tokens.length && (tokens[end].text !== ';' || tokens[end].parent !== tokens[i].parent)) {
      if (tokens[end].text === '{' && tokens[end].parent === tokens[i].parent) return;  // the body of a function
      end++;
    }
    if (end < tokens.length && tokens[i].parent >= 0 && tokens[tokens[i].parent].text === '{') add(tokens[i].start, tokens[end].end, ';', `statement deleted: ${text(i, end)}`);
  }
}

/// Without two of the same; those with the same words on lines of the same text in one function are numbered.
function unique(mutants, source) {
  const seen = new Set();
  const counted = new Map();
  const kept = [];
  for (const mutant of mutants) {
    const key = `${mutant.start} ${mutant.end} ${mutant.replacement}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const lineStart = source.lastIndexOf('\n', mutant.start - 1) + 1;
    mutant.line = source.slice(0, mutant.start).split('\n').length;
    mutant.lineText = source.slice(lineStart, (source.indexOf('\n', mutant.start) + source.length + 1) % (source.length + 1) || source.length).trim().replace(/\s*\/\/.*$/, '');
    const words = `${mutant.place} ${mutant.lineText} ${mutant.what}`;
    counted.set(words, (counted.get(words) ?? 0) + 1);
    if (counted.get(words) > 1) mutant.what += ` (${counted.get(words)})`;
    kept.push(mutant);
  }
  return kept;
}

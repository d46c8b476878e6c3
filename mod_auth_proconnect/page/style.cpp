#include "page/style.hpp"

namespace proconnect::page {

// Contrasts, light and dark, are at least 4.5 to 1 for text and 3 to 1 for what surrounds a control (WCAG 2.1, 1.4.3 and 1.4.11).
const std::string_view kStyle = R"css(
:root{color-scheme:light dark;--ink:#161616;--soft:#3a3a3a;--paper:#fff;--band:#f6f6f6;--line:#ddd;--blue:#000091;--hover:#1212ff;--active:#2323ff;--on-blue:#fff;--focus:#0a76f6;--info:#0063cb;--info-paper:#e8edff;--edge:transparent}
@media(prefers-color-scheme:dark){:root{--ink:#fff;--soft:#cecece;--paper:#161616;--band:#1e1e1e;--line:#353535;--blue:#8585f6;--hover:#b1b1f9;--active:#c6c6fb;--on-blue:#000091;--focus:#4c9bff;--info:#518fff;--info-paper:#273961;--edge:#8585f6}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--paper);color:var(--ink);font:1rem/1.5 Marianne,Arial,"Liberation Sans",sans-serif;overflow-wrap:break-word}
header,main,footer{width:100%;padding-left:max(1rem,calc(50% - 22rem));padding-right:max(1rem,calc(50% - 22rem))}
header{border-bottom:1px solid var(--line);border-top:.25rem solid var(--blue);padding-top:1rem;padding-bottom:1rem}
header p{margin:0;font-size:1.125rem;font-weight:700}
main{flex:1;padding-top:2.5rem;padding-bottom:2.5rem}
h1{margin:0 0 1rem;font-size:1.75rem;line-height:1.25}
h2{margin:2rem 0 .5rem;font-size:1.25rem;line-height:1.4}
p{margin:0 0 1rem;max-width:42rem}
ul,dl{margin:0 0 1rem;padding-left:1.25rem}
dl{padding-left:0}
dt{font-weight:700}
dd{margin:0 0 .5rem}
pre,code{font:.9375rem/1.5 "Liberation Mono",monospace;white-space:pre-wrap}
a{color:var(--blue);text-underline-offset:.25em}
a:hover{color:var(--hover);text-decoration-thickness:2px}
a:focus-visible,button:focus-visible,summary:focus-visible{outline:.1875rem solid var(--focus);outline-offset:.1875rem}
form{margin:0}
.action{margin:2rem 0 1rem}
.button{display:inline-block;border:0;background:var(--blue);color:var(--on-blue);font:inherit;font-weight:500;padding:.5rem 1rem;min-height:2.5rem;text-align:left;text-decoration:none;cursor:pointer}
.button:hover{background:var(--hover);color:var(--on-blue)}
.button:active{background:var(--active)}
.proconnect{display:inline-flex;flex-direction:column;justify-content:center;min-width:13.1875rem;min-height:3.625rem;padding:.375rem 1.25rem .4375rem 3.75rem;background:#000091;border:1px solid var(--edge);color:#fff;text-decoration:none;line-height:1.25;position:relative}
.proconnect::before{content:"";position:absolute;left:1.125rem;top:50%;width:1.75rem;height:1.75rem;margin-top:-.875rem;border-radius:50%;border:.1875rem solid #fff;background:radial-gradient(circle at 50% 36%,#fff 0 .25rem,transparent .28125rem),radial-gradient(ellipse at 50% 100%,#fff 0 .5625rem,transparent .59375rem)}
.proconnect span{font-size:.875rem}
.proconnect strong{font-size:1.25rem;line-height:1.1}
.proconnect:hover{background:#1212ff;color:#fff;text-decoration:none}
.proconnect:active{background:#2323ff}
.image{display:inline-block;line-height:0}
.image img{max-width:100%;height:auto}
.what{font-size:.875rem}
.notice{border-left:.25rem solid var(--info);background:var(--info-paper);padding:1rem 1rem .0625rem;margin:0 0 1.5rem;max-width:42rem}
.conditions{border-left:.25rem solid var(--line);padding-left:1rem}
footer{background:var(--band);border-top:1px solid var(--line);padding-top:1.25rem;padding-bottom:1.25rem;font-size:.875rem;color:var(--soft)}
footer:empty{display:none}
footer p{margin:.25rem 0}
.reference{overflow-wrap:anywhere}
@media(forced-colors:active){.button,.proconnect{border:1px solid}}
@media print{header{border-top:0}.action{display:none}}
)css";

const std::string_view kLayout = R"html(<!DOCTYPE html>
<html lang="{{lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>{{title}} – {{service}}</title>
{{style}}
</head>
<body>
<header><p>{{service}}</p></header>
<main>
<h1>{{title}}</h1>
{{notice}}{{text}}{{conditions}}{{details}}{{button}}{{alternative}}</main>
<footer>{{help}}{{reference}}</footer>
</body>
</html>
)html";

}  // namespace proconnect::page

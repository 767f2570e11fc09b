// How /docs looks: the colours of the page, in light and dark, readable on a phone.

export const API_PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f6; --panel: #fff; --line: #d9dde3; --text: #171b21; --muted: #566072;
  --accent: #1c5fd4; --good: #12703f; --warn: #8a5300; --bad: #b3261e; --code: #e8ebef;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  color: var(--text); background: var(--ground);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1115; --panel: #161a20; --line: #2a3038; --text: #e6e9ee; --muted: #9aa5b4;
    --accent: #7fb0ff; --good: #6fd39a; --warn: #f0bd62; --bad: #ff9d94; --code: #252b33;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1000px; padding: 0 16px 64px; overflow-wrap: break-word; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 24px; padding: 16px 0; border-bottom: 1px solid var(--line); }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; }
h1 { margin: 0; font-size: 20px; }
h1 a { color: inherit; text-decoration: none; }
small, .quiet { color: var(--muted); font-weight: normal; }
h2 { margin: 32px 0 8px; font-size: 18px; }
h3 { margin: 16px 0 4px; font-size: 14px; }
p { margin: 8px 0; }
a { color: var(--accent); }
code { padding: 1px 4px; border-radius: 4px; background: var(--code); font: 13px/1.4 ui-monospace, monospace; }
details { margin: 8px 0; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
details[open] { padding-bottom: 12px; }
details > :not(summary) { margin-left: 16px; margin-right: 16px; }
summary { padding: 8px 16px; cursor: pointer; }
summary span { color: var(--muted); }
details[open] > summary { border-bottom: 1px solid var(--line); }
.method { display: inline-block; min-width: 64px; font-size: 12px; color: var(--muted); }
.get { color: var(--accent); } .post, .good { color: var(--good); }
.patch, .put { color: var(--warn); } .delete, .bad { color: var(--bad); }
table { width: calc(100% - 32px); border-collapse: collapse; }
td { padding: 4px 12px 4px 0; border-top: 1px solid var(--line); vertical-align: top; }
td table { width: 100%; }
@media (max-width: 640px) { tr { display: flex; flex-wrap: wrap; border-top: 1px solid var(--line); } td { border: 0; } }
`;

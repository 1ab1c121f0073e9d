#pragma once

#include <string_view>

namespace fairlead::admin {

inline constexpr std::string_view kDashboardStyle = R"css(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--line:#e3e6ea;--text:#1b1f24;--soft:#667080;
--good:#1a7f4b;--warn:#a15c00;--bad:#c02b2b;--mark:#2563eb}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1c2026;--line:#2b313a;--text:#e6e8eb;--soft:#98a2b0;
--good:#4cc38a;--warn:#f0a84b;--bad:#ff7b72;--mark:#7aa7ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,sans-serif}
header,main{max-width:72rem;margin:0 auto;padding:1.2rem}
header{display:flex;flex-wrap:wrap;gap:.6rem 1.2rem;align-items:baseline}
h1{font-size:1.35rem;margin:0}
h2{font-size:1.05rem;margin:1.8rem 0 .6rem}
a{color:var(--mark)}
small,.soft{color:var(--soft)}
input{font:inherit;margin-left:auto;padding:.35rem .7rem;border:1px solid var(--line);border-radius:.5rem;
background:var(--card);color:inherit;min-width:14rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:.7rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:.7rem .9rem;
overflow-wrap:anywhere}
.card b{display:block;font-size:1.5rem;font-weight:500}
.table{background:var(--card);border:1px solid var(--line);border-radius:.7rem;overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.5rem .8rem;border-top:1px solid var(--line);overflow-wrap:anywhere}
tr:first-child th{border-top:0}
th{font-weight:500;color:var(--soft);white-space:nowrap}
code{font:13px/1.5 ui-monospace,monospace}
.enabled,.up{color:var(--good)}.warning{color:var(--warn)}.disabled,.down{color:var(--bad)}
.reason{margin-top:.2rem;font-size:.9em;color:var(--soft)}
.empty{padding:.8rem;color:var(--soft)}
)css";

inline constexpr std::string_view kDashboardScript = R"js(
const api = new URL('../api/', location.href.replace(/[?#].*$/, ''));
const find = id => document.getElementById(id);
const make = (tag, text, name) => {
  const out = document.createElement(tag);
  if (text !== undefined) out.textContent = text;
  if (name) out.className = name;
  return out;
};
const get = async path => {
  const answer = await fetch(new URL(path, api), {cache: 'no-store'});
  if (!answer.ok) throw new Error(path + ': ' + answer.status);
  return answer;
};
const all = async path => {
  const out = [];
  for (let page = 1; page < 21; ) {
    const answer = await get(path + '?per_page=500&page=' + page);
    out.push(...await answer.json());
    const next = Number(answer.headers.get('X-Next-Page'));
    if (!(next > page)) break;
    page = next;
  }
  return out;
};
const state = row => {
  const cell = make('td');
  cell.append(make('span', row.status, row.status));
  for (const reason of row.reasons || []) cell.append(make('div', reason.text + (reason.hint ? '; ' + reason.hint : ''), 'reason'));
  return cell;
};
const servers = row => {
  const cell = make('td');
  const told = new Set();
  for (const one of row.standings || []) {
    const up = one.state === 'ready';
    told.add(one.url);
    cell.append(make('div', (one.name || one.url) + (one.url && one.name ? ' · ' + one.url : '') + ' · ' + one.state, up ? 'up' : 'down'));
    for (const reason of one.reasons || []) cell.append(make('div', reason.text, 'reason'));
  }
  for (const [url, up] of Object.entries(row.serverStatus || {}))
    if (!told.has(url)) cell.append(make('div', url + ' · ' + up.toLowerCase(), up.toLowerCase()));
  return cell;
};
const code = text => { const cell = make('td'); cell.append(make('code', text || '')); return cell; };
const text = value => make('td', Array.isArray(value) ? value.join(', ') : value === undefined ? '' : String(value));
const tables = {
  Routers: ['routers', ['Name', 'Rule', 'Entry points', 'Service', 'Status'],
    r => [text(r.name), code(r.rule), text(r.using || r.entryPoints), text(r.service), state(r)]],
  Services: ['services', ['Name', 'Type', 'Servers', 'Used by', 'Status'],
    r => [text(r.name), text(r.type), servers(r), text(r.usedBy), state(r)]],
  Middlewares: ['middlewares', ['Name', 'Type', 'Used by', 'Status'],
    r => [text(r.name), text(r.type), text(r.usedBy), state(r)]],
};
const rows = [];
const table = (heads, items, cells) => {
  const box = make('div', undefined, 'table');
  if (!items.length) { box.append(make('div', 'none', 'empty')); return box; }
  const out = make('table');
  const top = make('tr');
  for (const head of heads) top.append(make('th', head));
  out.append(top);
  for (const item of items) {
    const line = make('tr');
    line.append(...cells(item));
    out.append(line);
    rows.push(line);
  }
  box.append(out);
  return box;
};
const filter = () => {
  const wanted = find('search').value.toLowerCase();
  for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
};
const show = async () => {
  const [overview, version, points] = await Promise.all(
    ['overview', 'version'].map(async path => (await get(path)).json()).concat(all('entrypoints')));
  find('version').textContent = version.Version + ', since ' + new Date(version.startDate).toLocaleString();
  if (version.dashboardName) { find('title').textContent = version.dashboardName; document.title = version.dashboardName; }
  const main = make('main');
  const cards = make('div', undefined, 'cards');
  for (const layer of ['http', 'tcp', 'udp'])
    for (const [kind, count] of Object.entries(overview[layer])) {
      if (!count || !count.total) continue;
      const card = make('div', undefined, 'card');
      card.append(make('b', count.total), make('span', layer.toUpperCase() + ' ' + kind));
      if (count.errors) card.append(make('div', count.errors + ' broken', 'disabled'));
      if (count.warnings) card.append(make('div', count.warnings + ' with warnings', 'warning'));
      cards.append(card);
    }
  for (const one of overview.providerStates || []) {
    const card = make('div', undefined, 'card');
    card.append(make('span', one.name + ' '), make('span', one.connected ? 'connected' : 'not connected', one.connected ? 'up' : 'down'),
      make('div', one.detail, 'reason'));
    cards.append(card);
  }
  main.append(cards);
  for (const reason of overview.reasons || []) main.append(make('p', reason.text, 'warning'));
  main.append(make('h2', 'Entry points'));
  main.append(table(['Name', 'Address'], points, r => [text(r.name), code(r.address)]));
  rows.length = 0;
  for (const layer of ['http', 'tcp', 'udp'])
    for (const [title, [kind, heads, cells]] of Object.entries(tables)) {
      if (!overview[layer][kind] || (layer !== 'http' && !overview[layer][kind].total)) continue;
      main.append(make('h2', layer.toUpperCase() + ' ' + title.toLowerCase()));
      main.append(table(heads, await all(layer + '/' + kind), cells));
    }
  document.querySelector('main').replaceWith(main);
  filter();
};
const again = () => show().catch(error => find('version').textContent = String(error));
find('search').addEventListener('input', filter);
again();
setInterval(() => { if (!document.hidden) again(); }, 10000);
)js";

}  // namespace fairlead::admin

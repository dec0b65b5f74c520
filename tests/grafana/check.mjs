// Holds grafana/dashboards against Grafana's own schema, with the TypeScript compiler: each panel becomes a literal of the type
// of its kind, so that keys nobody knows are refused. Then each of many mistakes is made on purpose, and must be noticed.
// Usage: node check.mjs [DASHBOARD...]; exit status 1 with all mistakes at once.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '..', '..', 'grafana', 'dashboards');
const paths = process.argv.length > 2
  ? process.argv.slice(2).map((path) => resolve(path))
  : readdirSync(folder).filter((name) => name.endsWith('.json')).sort().map((name) => join(folder, name));
const boards = paths.map((path) => ({ name: basename(path), json: JSON.parse(readFileSync(path, 'utf8')) }));

const literal = (value) => JSON.stringify(value, null, 1);
const kinds = ['stat', 'timeseries', 'bargauge', 'table', 'heatmap', 'state-timeline', 'row'];
const panelText = (panel) => {
  const kind = kinds.includes(panel.type) ? `Panels[${literal(panel.type)}]` : 'never';
  return `import type { Panels } from './types';\nexport const panel: ${kind} = ${literal(panel)};\n`;
};
const boardText = ({ panels, ...rest }) => `import type { Board } from './types';\nexport const board: Board = ${literal(rest)};\n`;
const wholeText = (json) => `import { whole } from './types';\nwhole(${literal(json)});\n`;

/** The files to be checked: their text, and what they are called in errors. */
const files = new Map();
const add = (text, what, mistake) => files.set(join(here, `made-${files.size}.ts`), { text, what, mistake });

const at = (tree, path) => path.reduce((node, step) => node?.[step], tree);
const changed = (tree, path, key, value) => {
  const copy = structuredClone(tree);
  const node = at(copy, path);
  if (value === undefined) delete node[key];
  else node[key] = value;
  return copy;
};

/** Mistakes in a panel: [what, where, key, wrong value]; undefined removes the key. */
const defaults = ['fieldConfig', 'defaults'];
const mistakes = (panel) => {
  const found = [
    ['a key nobody knows', [], 'titel', 'x'],
    ['a title that is a number', [], 'title', 7],
    ['a place without a width', ['gridPos'], 'w', undefined],
  ];
  if (panel.type === 'row') return found;
  found.push(
    ['a misspelt option', ['options'], 'graphMod', 'none'],
    ['no queries', [], 'targets', undefined],
    ['a query with a key nobody knows', ['targets', 0], 'legend', 'x'],
    ['another data source', ['datasource'], 'uid', 'abc'],
    ['a unit that is a number', defaults, 'unit', 7],
    ['a misspelt standard', defaults, 'noValues', '-'],
    ['a colour mode nobody knows', [...defaults, 'color'], 'mode', 'treshold'],
    ['a threshold that is a word', [...defaults, 'thresholds', 'steps', 0], 'value', '3'],
    ['a threshold mode nobody knows', [...defaults, 'thresholds'], 'mode', 'relative'],
    ['a mapping of no kind', defaults, 'mappings', [{ type: 'values', options: {} }]],
    ['an override of nothing', ['fieldConfig'], 'overrides', [{ matcher: { id: 'byName', options: 'x' }, properties: [{ id: 'units', value: 's' }] }]],
    ['an override of a wrong kind', ['fieldConfig'], 'overrides', [{ matcher: { id: 'byName', options: 'x' }, properties: [{ id: 'unit', value: 7 }] }]],
  );
  const own = {
    stat: [['options', 'colorMode'], ['options', 'graphMode'], ['options', 'textMode'], ['options', 'orientation']],
    timeseries: [['options', 'legend', 'placement'], ['options', 'legend', 'displayMode'], ['options', 'tooltip', 'sort'], [...defaults, 'custom', 'drawStyle'], [...defaults, 'custom', 'stacking', 'mode'], [...defaults, 'custom', 'scaleDistribution', 'type']],
    bargauge: [['options', 'displayMode'], ['options', 'valueMode'], ['options', 'namePlacement']],
    table: [['options', 'cellHeight'], [...defaults, 'custom', 'align'], [...defaults, 'custom', 'cellOptions', 'type']],
    heatmap: [['options', 'color', 'mode'], ['options', 'color', 'scale'], ['options', 'yAxis', 'axisPlacement'], ['options', 'showValue']],
    'state-timeline': [['options', 'showValue'], ['options', 'alignValue']],
  }[panel.type];
  for (const path of own) found.push([`${path.join('.')} of a word nobody knows`, path.slice(0, -1), path.at(-1), 'nonsense']);
  const custom = at(panel, [...defaults, 'custom']);
  if (custom) {
    found.push(['a misspelt field option', [...defaults, 'custom'], 'lineWith', 2]);
    found.push(['an override of a field option of a wrong kind', ['fieldConfig'], 'overrides', [{ matcher: { id: 'byName', options: 'x' }, properties: [{ id: 'custom.hideFrom', value: 'legend' }] }]]);
  } else found.push(['field options where there are none', defaults, 'custom', { lineWidth: 2 }]);
  if (panel.transformations) found.push(['a transformation nobody knows', ['transformations', 0], 'id', 'join']);
  return found;
};
const boardMistakes = [
  ['a key nobody knows', [], '__inputs', []],
  ['a schema version that is a word', [], 'schemaVersion', '42'],
  ['a variable of no kind', ['templating', 'list', 0], 'type', 'data source'],
  ['a variable that is refreshed never and always', ['templating', 'list', 0], 'refresh', 3],
  ['a link of no kind', ['links', 0], 'type', 'url'],
  ['a time without an end', ['time'], 'to', undefined],
  ['a refresh that is a number', [], 'refresh', 10],
];

for (const { name, json } of boards) {
  add(boardText(json), name);
  add(wholeText(json), `${name}, as a whole`);
  for (const panel of json.panels) add(panelText(panel), `${name}, panel ${panel.id} (${panel.title})`);
}
// one panel of each kind is spoilt in every way
const spoilt = new Map();
for (const panel of boards.flatMap(({ json }) => json.panels)) if (!spoilt.has(panel.type)) spoilt.set(panel.type, panel);
for (const [type, panel] of spoilt) {
  for (const [what, path, key, value] of kinds.includes(type) ? mistakes(panel) : []) {
    add(panelText(changed(panel, path, key, value)), `${type}: ${what}`, true);
  }
}
add(panelText({ ...spoilt.get('stat'), type: 'singlestat' }), 'a panel of no kind', true);
for (const [what, path, key, value] of boardMistakes) add(boardText(changed(boards[0].json, path, key, value)), `dashboard: ${what}`, true);

const options = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists, readFile } = host;
host.getSourceFile = (path, ...rest) => files.has(resolve(path)) ? ts.createSourceFile(path, files.get(resolve(path)).text, rest[0]) : getSourceFile.call(host, path, ...rest);
host.fileExists = (path) => files.has(resolve(path)) || fileExists.call(host, path);
host.readFile = (path) => files.get(resolve(path))?.text ?? readFile.call(host, path);
const program = ts.createProgram([join(here, 'types.ts'), ...files.keys()], options, host);

const text = (diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ').replace(/\s+/g, ' ');
const wrong = [];
for (const diagnostic of [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(), ...program.getSemanticDiagnostics(program.getSourceFile(join(here, 'types.ts')))]) {
  wrong.push(`types.ts: ${text(diagnostic)}`);
}
let noticed = 0;
for (const [path, { what, mistake }] of files) {
  const source = program.getSourceFile(path);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  if (mistake) {
    if (found.length) noticed += 1;
    else wrong.push(`a mistake made on purpose is not noticed: ${what}`);
    if (found.length && process.env.SHOW) console.error(`noticed: ${what}: ${text(found[0]).slice(0, 160)}`);
  } else {
    for (const diagnostic of found) {
      const line = source.text.slice(0, diagnostic.start).split('\n').length - 1;
      wrong.push(`${what}: at ${source.text.split('\n')[line].trim()}: ${text(diagnostic).slice(0, 400)}`);
    }
  }
}
for (const what of wrong) console.error(`error: ${what}`);
const panels = boards.flatMap(({ json }) => json.panels).filter((panel) => panel.type !== 'row').length;
const version = JSON.parse(readFileSync(join(here, 'node_modules/@grafana/schema/package.json'), 'utf8')).version;
console.log(`${boards.length} dashboards, ${panels} panels against @grafana/schema ${version}: ${wrong.length} mistakes; ${noticed} mistakes made on purpose were noticed`);
process.exitCode = wrong.length ? 1 : 0;

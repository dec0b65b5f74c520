// What Prometheus answers to the queries of a panel, as Grafana's data frames.
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  DataFrame,
  Field,
  FieldConfigOptionsRegistry,
  FieldType,
  renderLegendFormat,
  standardTransformers,
  standardTransformersRegistry,
  toDataFrame,
  transformDataFrame,
} from '@grafana/data';
import { firstValueFrom } from 'rxjs';

export type Wanted = { prometheus: string; from: number; to: number; scrape: number; variables: Record<string, string> };
type Labels = Record<string, string>;
type Series = { metric: Labels; values?: [number, string][]; value?: [number, string] };

standardTransformersRegistry.setInit(() =>
  [standardTransformers.joinByFieldTransformer, standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer].map((transformation) => ({
    id: transformation.id,
    name: transformation.name,
    transformation,
    editor: () => null,
    imageDark: '',
    imageLight: '',
  }))
);

async function ask(wanted: Wanted, path: string, ask: Record<string, string>) {
  const answer = await fetch(`${wanted.prometheus}/api/v1/${path}?${new URLSearchParams(ask)}`);
  const body = await answer.json();
  if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(ask)}: ${body.error}`);
  return body.data;
}

/** Values of variables that are not given: the first one Prometheus knows. */
export async function variables(board: any, wanted: Wanted) {
  for (const variable of board.templating.list) {
    if (variable.type !== 'query' || wanted.variables[variable.name]) continue;
    const parts = /^label_values\((.*), (\w+)\)$/.exec(variable.query.query);
    if (!parts) throw new Error(`variable ${variable.name}: cannot be asked`);
    const values = await ask(wanted, `label/${parts[2]}/values`, {
      'match[]': filled(parts[1], wanted, 1),
      start: `${wanted.from}`,
      end: `${wanted.to}`,
    });
    if (!values.length) throw new Error(`variable ${variable.name} has no value`);
    wanted.variables[variable.name] = values[0];
  }
}

/** A text with its variables filled in. */
export function filled(text: string, wanted: Wanted, step: number) {
  const known: Record<string, string> = {
    ...wanted.variables,
    __rate_interval: `${Math.max(4 * wanted.scrape, step + wanted.scrape)}s`,
    __range: `${wanted.to - wanted.from}s`,
  };
  return text.replace(/\$(\w+)/g, (whole, name) => known[name] ?? whole);
}

/** The steps that Grafana would take: a point each pixel and a half, and not finer than Prometheus scrapes. */
function stepFor(panel: any, wanted: Wanted, width: number) {
  const nice = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600];
  const exact = Math.max((wanted.to - wanted.from) / (width / 1.5), wanted.scrape);
  return nice.find((step) => step >= exact) ?? 1200;
}

async function series(panel: any, target: any, wanted: Wanted, width: number) {
  const step = panel.interval && panel.type === 'heatmap' ? Math.max(5, stepFor(panel, wanted, width)) : stepFor(panel, wanted, width);
  const query = filled(target.expr, wanted, step);
  if (target.instant) return { step, result: (await ask(wanted, 'query', { query, time: `${wanted.to}` })).result as Series[] };
  const from = Math.floor(wanted.from / step) * step;
  return { step, result: (await ask(wanted, 'query_range', { query, start: `${from}`, end: `${wanted.to}`, step: `${step}` })).result as Series[] };
}

function named(target: any, labels: Labels, query: string) {
  if (target.legendFormat && target.legendFormat !== '__auto') return renderLegendFormat(target.legendFormat, labels);
  const { __name__, ...rest } = labels;
  const inner = Object.entries(rest).map(([name, value]) => `${name}="${value}"`).join(', ');
  return inner ? `${__name__ ?? ''}{${inner}}` : __name__ ?? query;
}

async function frames(panel: any, wanted: Wanted, width: number): Promise<DataFrame[]> {
  const found: DataFrame[] = [];
  for (const target of panel.targets) {
    const { step, result } = await series(panel, target, wanted, width);
    if (target.format === 'table') {
      if (!result.length) continue;
      const names = [...new Set(result.flatMap((one) => Object.keys(one.metric)))];
      found.push(
        toDataFrame({
          refId: target.refId,
          fields: [
            { name: 'Time', type: FieldType.time, values: result.map((one) => one.value![0] * 1000) },
            ...names.map((name) => ({ name, type: FieldType.string, values: result.map((one) => one.metric[name] ?? '') })),
            { name: `Value #${target.refId}`, type: FieldType.number, values: result.map((one) => Number(one.value![1])) },
          ],
        })
      );
      continue;
    }
    for (const one of result) {
      const points = one.values ?? [one.value!];
      found.push(
        toDataFrame({
          refId: target.refId,
          fields: [
            { name: 'Time', type: FieldType.time, values: points.map(([time]) => time * 1000), config: { interval: step * 1000 } },
            {
              name: 'Value',
              type: FieldType.number,
              labels: one.metric,
              values: points.map(([, value]) => Number(value)),
              config: { displayNameFromDS: named(target, one.metric, target.expr) },
            },
          ],
        })
      );
    }
  }
  return found;
}

/** All options of fields, Grafana's own and those of the kind of panel. */
const registry = (panel: any) => {
  const standard = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'thresholds', 'mappings', 'color'];
  const custom = new Set<string>(Object.keys(panel.fieldConfig.defaults.custom ?? {}));
  for (const { properties } of panel.fieldConfig.overrides) {
    for (const { id } of properties) if (id.startsWith('custom.')) custom.add(id.slice('custom.'.length));
  }
  const item = (id: string, path: string, isCustom: boolean) =>
    ({ id, path, name: id, isCustom, process: (value: unknown) => value, shouldApply: (field: Field) => !isCustom || panel.type === 'table' || field.type === FieldType.number, editor: () => null, override: () => null, settings: {} }) as any;
  return new FieldConfigOptionsRegistry(() => [
    ...standard.map((name) => item(name, name, false)),
    ...[...custom].map((name) => item(`custom.${name}`, name, true)),
  ]);
};

/** The data of a panel, transformed and with its field options, as its component takes it. */
export async function data(panel: any, wanted: Wanted, width: number, theme: ReturnType<typeof createTheme>) {
  const raw = await frames(panel, wanted, width);
  const made = panel.transformations
    ? await firstValueFrom(transformDataFrame(panel.transformations, raw, { interpolate: (text: string) => text } as any))
    : raw;
  const drawn = applyFieldOverrides({
    data: made,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry: registry(panel),
    replaceVariables: (text: string) => text,
    theme,
    timeZone: 'utc',
  });
  cacheFieldDisplayNames(drawn);
  return drawn;
}

/** Times, in milliseconds, in which an annotation holds. */
export async function regions(note: any, wanted: Wanted) {
  const step = Math.max(1, Math.round((wanted.to - wanted.from) / 600));
  const { result } = await ask(wanted, 'query_range', {
    query: filled(note.target.expr, wanted, step),
    start: `${wanted.from}`,
    end: `${wanted.to}`,
    step: `${step}`,
  });
  const found: { from: number; to: number; color: string }[] = [];
  for (const { values } of result as Series[]) {
    for (const [time, value] of values!) {
      if (!(Number(value) > 0)) continue;
      const last = found.at(-1);
      if (last && last.to + step * 1000 >= time * 1000 && last.to < time * 1000) last.to = time * 1000;
      else found.push({ from: time * 1000, to: time * 1000, color: note.iconColor });
    }
  }
  return found;
}

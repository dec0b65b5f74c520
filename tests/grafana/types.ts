// What a dashboard may say, from Grafana's own schema, with every key that is not in it refused.
// Grafana writes enums as plain words and numbers into JSON, so `Plain` takes them so.
import type * as schema from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as dashboard from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen';

/** T with words and numbers in place of its enums. */
export type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}`
      ? N
      : T
    : T extends boolean | null | undefined
      ? T
      : T extends (infer U)[]
        ? Plain<U>[]
        : unknown extends T
          ? T
          : { [K in keyof T]: Plain<T[K]> };

type Source = { type: 'prometheus'; uid: '${datasource}' };

/** A query to Prometheus; its type is in no package of Grafana that is published. */
type Query = Omit<schema.DataQuery, 'datasource' | 'queryType'> & {
  datasource: Source;
  expr: string;
  legendFormat?: string;
  editorMode?: 'code' | 'builder';
  range?: boolean;
  instant?: boolean;
  exemplar?: boolean;
  interval?: string;
  format?: 'time_series' | 'table' | 'heatmap';
};

/** What is standard about a field, of every panel. */
type Standard = Omit<Plain<dashboard.FieldConfig>, 'custom'>;
type Change<T, Before extends string> = {
  [K in keyof T & string]-?: { id: `${Before}${K}`; value: Exclude<T[K], undefined> };
}[keyof T & string];
type Override<Custom> = {
  matcher: { id: 'byName' | 'byRegexp' | 'byFrameRefID'; options: string };
  properties: (Change<Standard, ''> | Change<Custom, 'custom.'>)[];
};

/** The options of the transformations that are used; Grafana's schema leaves them open. */
type Transformation =
  | { id: 'joinByField'; options: { byField: string; mode: 'outer' | 'inner' } }
  | { id: 'merge'; options: Record<string, never> }
  | {
      id: 'organize';
      options: {
        excludeByName: Record<string, boolean>;
        includeByName: Record<string, boolean>;
        indexByName: Record<string, number>;
        renameByName: Record<string, string>;
      };
    };

type PanelOf<Type extends string, Options, Custom> = Omit<
  Plain<dashboard.Panel>,
  'type' | 'datasource' | 'options' | 'fieldConfig' | 'targets' | 'transformations'
> & {
  type: Type;
  datasource: Source;
  options: Plain<Options>;
  targets: Query[];
  transformations?: Transformation[];
  fieldConfig: {
    defaults: Standard & ([Custom] extends [never] ? { custom?: never } : { custom: Plain<Custom> });
    overrides: Override<[Custom] extends [never] ? {} : Plain<Custom>>[];
  };
};

/** Every kind of panel that is used, with its own options. */
export type Panels = {
  stat: PanelOf<'stat', stat.Options, never>;
  timeseries: PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>;
  bargauge: PanelOf<'bargauge', bargauge.Options, never>;
  table: PanelOf<'table', table.Options, table.FieldConfig>;
  heatmap: PanelOf<'heatmap', heatmap.Options, heatmap.FieldConfig>;
  'state-timeline': PanelOf<'state-timeline', timeline.Options, timeline.FieldConfig>;
  row: Plain<dashboard.RowPanel>;
};

/** What Prometheus's annotations have beside the schema's. */
type Annotation = Omit<Plain<dashboard.AnnotationQuery>, 'target' | 'datasource'> & {
  datasource: Source;
  expr: string;
  target: Omit<Query, 'datasource'>;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
};

/** A dashboard without its panels. */
export type Board = Omit<Plain<dashboard.Dashboard>, 'panels' | 'annotations'> & { annotations: { list: Annotation[] } };

/** Takes a whole dashboard as Grafana's own programs do, which leave open what a data source adds to a query. */
export declare function whole<T extends Plain<schema.Dashboard>>(board: T): void;

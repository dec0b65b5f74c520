// One dashboard, drawn with Grafana's own components. Heatmap and state timeline are in none of its packages; they are drawn
// here as simply as can be.
import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';
import 'uplot/dist/uPlot.min.css';
import {
  colorManipulator,
  createTheme,
  DataFrame,
  dateTime,
  EventBusSrv,
  FieldType,
  getDisplayValueAlignmentFactors,
  getFieldDisplayName,
  getFieldDisplayValues,
  GrafanaTheme2,
  ThemeContext,
} from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, PanelContextProvider, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import React, { useEffect, useRef } from 'react';
import { createRoot } from 'react-dom/client';
import { data, filled, regions, variables, Wanted } from './data';

const CELL = 30;
const GAP = 8;
type Size = { width: number; height: number };
type Region = { from: number; to: number; color: string };
type Drawn = Size & { panel: any; frames: DataFrame[]; theme: GrafanaTheme2; wanted: Wanted; notes: Region[] };

const range = (wanted: Wanted) => {
  const [from, to] = [dateTime(wanted.from * 1000), dateTime(wanted.to * 1000)];
  return { from, to, raw: { from, to } };
};

function values({ panel, frames, theme }: Drawn, sparkline: boolean) {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: frames,
    sparkline,
    timeZone: 'utc',
  });
}

function Stat(drawn: Drawn) {
  const { panel, theme, width, height } = drawn;
  const { options } = panel;
  return (
    <VizRepeater
      getValues={() => values(drawn, options.graphMode !== 'none')}
      getAlignmentFactors={getDisplayValueAlignmentFactors as any}
      renderValue={({ value, width, height, count, alignmentFactors }: any) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode === 'auto' && count < 2 ? ('value' as any) : options.textMode}
          alignmentFactors={alignmentFactors}
          text={options.text}
          width={width}
          height={height}
          theme={theme}
          disableWideLayout={!options.wideLayout}
        />
      )}
      width={width}
      height={height}
      source={drawn.frames}
      renderCounter={0}
      autoGrid={true}
      orientation={options.orientation}
    />
  );
}

function Bars(drawn: Drawn) {
  const { panel, theme, width, height } = drawn;
  const { options } = panel;
  return (
    <VizRepeater
      getValues={() => values(drawn, false)}
      getAlignmentFactors={getDisplayValueAlignmentFactors as any}
      renderValue={({ value, width, height, count, alignmentFactors, orientation }: any) => (
        <BarGauge
          value={value.display}
          width={width}
          height={height}
          orientation={orientation}
          field={value.field}
          text={options.text}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          theme={theme}
          itemSpacing={GAP}
          displayMode={options.displayMode}
          alignmentFactors={count > 1 ? alignmentFactors : undefined}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          isOverflow={false}
        />
      )}
      width={width}
      height={height}
      source={drawn.frames}
      renderCounter={0}
      itemSpacing={GAP}
      minVizWidth={options.minVizWidth}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight}
      orientation={options.orientation}
    />
  );
}

function Lines({ panel, frames, theme, wanted, notes, width, height }: Drawn) {
  return (
    <TimeSeries
      frames={frames}
      structureRev={1}
      timeRange={range(wanted) as any}
      timeZone="utc"
      width={width}
      height={height}
      legend={panel.options.legend}
      options={panel.options}
    >
      {(builder: any) => {
        // regions behind the lines, as Grafana shades annotations
        builder.addHook('drawAxes', (plot: any) => {
          for (const note of notes) {
            const left = Math.max(plot.valToPos(note.from, 'x', true), plot.bbox.left);
            const right = Math.min(plot.valToPos(note.to, 'x', true), plot.bbox.left + plot.bbox.width);
            plot.ctx.fillStyle = colorManipulator.alpha(theme.visualization.getColorByName(note.color), 0.12);
            plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
          }
        });
        return null;
      }}
    </TimeSeries>
  );
}

function Cells({ panel, frames, wanted, width, height }: Drawn) {
  if (!frames.length) return <Nothing text={panel.fieldConfig.defaults.noValue} />;
  return (
    <TableNG
      data={frames[0]}
      width={width}
      height={height}
      noHeader={!panel.options.showHeader}
      cellHeight={panel.options.cellHeight}
      initialSortBy={panel.options.sortBy}
      fieldConfig={panel.fieldConfig}
      timeRange={range(wanted) as any}
      enableVirtualization={false}
      structureRev={1}
    />
  );
}

/** A canvas with an axis of time below. */
function Canvas({ width, height, wanted, theme, left, paint }: Size & { wanted: Wanted; theme: GrafanaTheme2; left: number; paint: (context: CanvasRenderingContext2D, x: (time: number) => number, bottom: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext('2d')!;
    const bottom = height - 22;
    const x = (time: number) => left + ((time / 1000 - wanted.from) / (wanted.to - wanted.from)) * (width - left - 8);
    context.font = '12px Inter';
    context.fillStyle = theme.colors.text.primary;
    paint(context, x, bottom);
    context.fillStyle = theme.colors.text.primary;
    context.textAlign = 'center';
    const span = (wanted.to - wanted.from) / 4;
    const step = [15, 30, 60, 120, 300, 900, 1800, 3600].find((step) => step >= span) ?? 7200;
    for (let at = Math.ceil(wanted.from / step) * step; at <= wanted.to; at += step) {
      context.fillText(new Date(at * 1000).toISOString().slice(11, step % 60 ? 19 : 16), Math.min(x(at * 1000), width - 30), height - 6);
    }
  }, []);
  return <canvas ref={canvas} width={width} height={height} />;
}

function Timeline({ panel, frames, theme, wanted, width, height }: Drawn) {
  const names = frames.map((frame) => getFieldDisplayName(frame.fields[1], frame, frames));
  return (
    <Canvas
      {...{ width, height, wanted, theme, left: 20 + 7 * Math.max(...names.map((name) => name.length)) }}
      paint={(context, x, bottom) => {
        const tall = bottom / frames.length;
        frames.forEach((frame, row) => {
          const [time, field] = frame.fields;
          const middle = tall * (row + 0.5) + 4;
          context.textAlign = 'left';
          context.fillStyle = theme.colors.text.primary;
          context.fillText(names[row], 4, middle);
          // equal values beside each other are one block
          for (let at = 0, end = 0; at < field.values.length; at = end) {
            for (end = at + 1; end < field.values.length && field.values[end] === field.values[at]; ) end += 1;
            const { color, text } = field.display!(field.values[at]);
            const [left, right] = [x(time.values[at]), x(time.values[end] ?? time.values[end - 1])];
            context.fillStyle = color!;
            context.fillRect(left, tall * row + 3, right - left, tall - 6);
            if (panel.options.showValue === 'never' || context.measureText(text).width + 8 > right - left) continue;
            context.textAlign = 'center';
            context.fillStyle = theme.colors.getContrastText(color!);
            context.fillText(text, (left + right) / 2, middle);
          }
        });
      }}
    />
  );
}

function Heat({ panel, frames, theme, wanted, width, height }: Drawn) {
  const edge = (frame: DataFrame) => Number(frame.fields[1].labels!.le.replace('+Inf', 'Infinity'));
  const rows = [...frames].sort((a, b) => edge(a) - edge(b));
  const counts = rows.map((frame, row) =>
    frame.fields[1].values.map((value, at) => Math.max(0, value - (row ? rows[row - 1].fields[1].values[at] ?? 0 : 0)))
  );
  const shown = counts.flatMap((row, at) => (row.some((count) => count > 1e-9) ? [at] : []));
  if (!shown.length) return <Nothing text={panel.fieldConfig.defaults.noValue} />;
  const [first, last] = [Math.max(0, shown[0] - 1), Math.min(rows.length - 1, shown.at(-1)! + 1)];
  const most = Math.max(...counts.flat());
  return (
    <Canvas
      {...{ width, height, wanted, theme, left: 64 }}
      paint={(context, x, bottom) => {
        const tall = bottom / (last - first + 1);
        const shownEdge = (value: number) => (value === Infinity ? 'more' : value < 1 ? `${+(value * 1000).toPrecision(2)} ms` : `${value} s`);
        for (let row = first; row <= last; row++) {
          const y = bottom - tall * (row - first + 1);
          context.fillStyle = theme.colors.text.primary;
          context.fillText(shownEdge(edge(rows[row])), 4, y + 4 + (row === last ? 8 : 0));
          context.fillStyle = theme.colors.border.weak;
          context.fillRect(60, y, width - 68, 1);
          const times = rows[row].fields[0].values;
          const step = (times[1] ?? times[0] + 5000) - times[0];
          counts[row].forEach((count, at) => {
            if (count <= 1e-9) return;
            context.fillStyle = colorManipulator.alpha(theme.visualization.getColorByName('orange'), 0.3 + 0.7 * Math.sqrt(count / most));
            context.fillRect(x(times[at] - step) + 1, y + 1, Math.max(4, x(times[at]) - x(times[at] - step) - 1), tall - 2);
          });
        }
      }}
    />
  );
}

const Nothing = ({ text }: { text: string }) => (
  <div style={{ display: 'flex', height: '100%', alignItems: 'center', justifyContent: 'center', fontSize: 16 }}>{text}</div>
);

const KINDS: Record<string, React.FC<Drawn>> = { stat: Stat, bargauge: Bars, timeseries: Lines, table: Cells, heatmap: Heat, 'state-timeline': Timeline };

function Panel(drawn: Drawn & { empty: boolean }) {
  const { panel, width, height, wanted, empty } = drawn;
  const Kind = KINDS[panel.type];
  return (
    <PanelChrome title={filled(panel.title, wanted, 1)} width={width} height={height}>
      {(innerWidth, innerHeight) =>
        empty && panel.type !== 'stat' ? (
          <Nothing text={panel.fieldConfig.defaults.noValue} />
        ) : (
          <Kind {...drawn} width={innerWidth} height={innerHeight} />
        )
      }
    </PanelChrome>
  );
}

async function main() {
  const given = new URLSearchParams(location.search);
  const theme = createTheme({ colors: { mode: given.get('theme') === 'light' ? 'light' : 'dark' } });
  const wanted: Wanted = JSON.parse(given.get('wanted')!);
  // texts are measured before they are drawn
  await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 14px Inter`)));
  const board = await (await fetch(`/dashboards/${given.get('board')}.json`)).json();
  await variables(board, wanted);
  const column = (document.body.clientWidth - 2 * GAP + GAP) / 24;
  const notes = await Promise.all(board.annotations.list.map(async (note: any) => ({ ids: note.filter.ids, regions: await regions(note, wanted) })));
  const empties: string[] = [];
  const panels = await Promise.all(
    board.panels.map(async (panel: any) => {
      const { x, y, w, h } = panel.gridPos;
      const place: React.CSSProperties = { position: 'absolute', left: GAP + x * column, top: 44 + y * (CELL + GAP), width: w * column - GAP, height: h * (CELL + GAP) - GAP };
      if (panel.type === 'row') {
        return <div key={panel.id} style={{ ...place, display: 'flex', alignItems: 'end', fontSize: 18, fontWeight: 500 }}>{filled(panel.title, wanted, 1)}</div>;
      }
      const size = { width: place.width as number, height: place.height as number };
      const frames = await data(panel, wanted, size.width, theme);
      const empty = !frames.some((frame) => frame.fields.some((field) => field.type === FieldType.number && field.values.some((value) => value !== null && !Number.isNaN(value))));
      if (empty) empties.push(panel.title);
      const shaded = notes.flatMap((note: any) => (note.ids.includes(panel.id) ? note.regions : []));
      return <div key={panel.id} style={place}><Panel {...{ panel, frames, theme, wanted, empty, notes: shaded }} {...size} /></div>;
    })
  );
  const rows = Math.max(...board.panels.map((panel: any) => panel.gridPos.y + panel.gridPos.h));
  const chosen = board.templating.list.filter((one: any) => wanted.variables[one.name]).map((one: any) => `${one.label}: ${wanted.variables[one.name]}`).join('   ');
  const root = document.getElementById('root')!;
  root.style.height = `${44 + rows * (CELL + GAP)}px`;
  createRoot(root).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={{ eventsScope: '', eventBus: new EventBusSrv() }}>
        <div style={{ position: 'absolute', inset: 0, padding: `10px ${GAP}px`, background: theme.colors.background.canvas, display: 'flex', justifyContent: 'space-between', fontFamily: 'Inter' }}>
          <span style={{ fontSize: 18, fontWeight: 500 }}>{board.title}</span>
          <span style={{ color: theme.colors.text.secondary }}>{chosen}</span>
        </div>
        {panels}
      </PanelContextProvider>
    </ThemeContext.Provider>
  );
  await document.fonts.ready;
  Object.assign(window, { drawn: { panels: panels.length, empties } });
}
main().catch((error) => Object.assign(window, { drawn: { error: `${error.stack ?? error}` } }));

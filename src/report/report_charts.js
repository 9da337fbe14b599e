// SPDX-License-Identifier: Apache-2.0
//
// Draws the charts of an HTML report: one for each block of JSON data that report_html.c wrote,
// into the canvas before it. Colours are the page's CSS variables.
(function () {
  'use strict';
  var charts = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function number(value) {
    var size = Math.abs(value);
    return value !== 0 && (size < 1e-3 || size >= 1e7) ?
      value.toExponential(2).replace(/\.?0+e/, 'e') : String(+value.toPrecision(5));
  }

  // Points of a logarithmic axis that it cannot show are gaps.
  function point(x, y, spec) {
    var hidden = x === null || y === null || (spec.x.log && x <= 0) || (spec.y.log && y <= 0);
    return hidden ? { x: x === null ? NaN : x, y: NaN } : { x: x, y: y };
  }

  function dataset(spec, series, i) {
    var main = colour('--s' + (i % 8));
    var bars = series.style === 'bars', dots = series.style === 'points';
    var dashed = series.style === 'dashed';
    var line = dashed && series.name === null ? colour('--frame') : main;
    return {
      type: bars ? 'bar' : 'line',
      label: series.name === null ? '' : series.name,
      data: spec.categories ? series.y :
        series.y.map(function (y, k) { return point(series.x[k], y, spec); }),
      names: series.labels,
      showLine: !dots,
      stepped: series.style === 'steps' ? 'before' : false,
      borderColor: line,
      backgroundColor: bars ? main + 'b0' : main,
      borderWidth: bars ? 0 : 2,
      borderDash: dashed ? [6, 5] : [],
      pointRadius: dots ? 4 : !dashed && series.y.length < 2 ? 3 : 0,
      pointHoverRadius: dashed ? 0 : 5,
      pointHitRadius: dashed ? 0 : 8,
      categoryPercentage: 0.96,
      barPercentage: 0.96,
      order: dashed ? 1 : 0
    };
  }

  // Epochs have no halves.
  function whole(spec) {
    return spec.series.every(function (s) {
      return s.x !== null && s.x.every(function (x) { return Number.isInteger(x); });
    });
  }

  function scale(axis, type) {
    var made = {
      type: axis.log ? 'logarithmic' : type,
      title: { display: axis.title !== '', text: axis.title, color: colour('--ink') },
      grid: { color: colour('--grid'), borderColor: colour('--frame') },
      ticks: { color: colour('--soft'), maxRotation: 0, autoSkipPadding: 12 }
    };
    if (type !== 'category')
      made.ticks.callback = axis.log
        ? function (value) { return /^[125]/.test(value.toExponential()) ? number(value) : ''; }
        : number;
    if (axis.low !== null) {
      made.min = axis.low;
      made.max = axis.high;
    }
    return made;
  }

  function tooltip(item) {
    var set = item.dataset, name = set.names ? set.names[item.dataIndex] : set.label;
    return (name ? name + ': ' : '') + number(item.parsed.y);
  }

  function options(spec) {
    var x = scale(spec.x, spec.categories ? 'category' : 'linear');
    if (!spec.categories && !spec.x.log && spec.x.high !== 1 && whole(spec))
      x.ticks.precision = 0;
    return {
      animation: false,
      maintainAspectRatio: false,
      normalized: true,
      interaction: { mode: 'nearest', intersect: false, axis: spec.categories ? 'x' : 'xy' },
      scales: { x: x, y: scale(spec.y, 'linear') },
      plugins: {
        legend: {
          display: spec.series.filter(function (s) { return s.name !== null; }).length > 1,
          labels: {
            color: colour('--ink'), boxWidth: 18, boxHeight: 2,
            filter: function (item) { return item.text !== ''; }
          }
        },
        tooltip: {
          displayColors: false,
          callbacks: {
            title: function (items) {
              if (items.length === 0)
                return '';
              return spec.categories ? items[0].label :
                (spec.x.title || 'x') + ' ' + number(items[0].parsed.x);
            },
            label: tooltip
          }
        }
      }
    };
  }

  function draw() {
    charts.forEach(function (chart) { chart.destroy(); });
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    var blocks = document.querySelectorAll('script[type="application/json"]');
    charts = Array.prototype.map.call(blocks, function (block) {
      var spec = JSON.parse(block.textContent);
      return new Chart(block.parentNode.querySelector('canvas'), {
        data: {
          labels: spec.categories || [],
          datasets: spec.series.map(function (series, i) { return dataset(spec, series, i); })
        },
        options: options(spec)
      });
    });
  }

  // Paper is white, whatever the screen is.
  function paper(on) {
    document.documentElement.classList.toggle('paper', on);
    draw();
  }

  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  addEventListener('beforeprint', function () { paper(true); });
  addEventListener('afterprint', function () { paper(false); });
})();

# SPDX-License-Identifier: Apache-2.0
"""A record as a page of Markdown, and names of pictures."""
import os

SPEED = ('net', 'direction', 'path', 'tuning', 'batch', 'images_per_s', 'images_per_s_low',
         'images_per_s_high', 'stream_images_per_s', 'kernels_images_per_s', 'latency_p50_ms',
         'latency_p99_ms', 'gflops', 'share_of_peak', 'largest_difference', 'first_call_seconds',
         'flags')


def spread(paths, n):
    """n of them, evenly."""
    paths = sorted(paths)
    n = min(n, len(paths))
    return [paths[int((i + 0.5) * len(paths) / n)] for i in range(n)]


def flat_name(path):
    return os.path.basename(os.path.dirname(path)) + '_' + os.path.basename(path)


def not_a_number_first(value):
    return float('inf') if value != value else value


def cell(value):
    if value is None:
        return '–'
    if isinstance(value, bool):
        return 'yes' if value else '**no**'
    if isinstance(value, float):
        return f'{value:.0f}' if value >= 1000 else f'{value:.3g}'
    return str(value).replace('\n', '; ').replace('|Δp|', '\\|Δp\\|').replace('` | `', ' ')


def table(rows, columns=None):
    """Markdown of a list of dictionaries."""
    if not rows:
        return 'none\n'
    columns = columns or list(rows[0])
    lines = ['| ' + ' | '.join(cell(c) for c in columns) + ' |', '|' + ' --- |' * len(columns)]
    lines += ['| ' + ' | '.join(cell(row.get(c)) for c in columns) + ' |' for row in rows]
    return '\n'.join(lines) + '\n'


def speeds(rows):
    names = {'images_per_s': 'images/s', 'stream_images_per_s': 'stream',
             'kernels_images_per_s': 'kernels alone', 'latency_p50_ms': 'ms, median',
             'latency_p99_ms': 'ms, 99 %', 'share_of_peak': 'share of peak'}
    shown = [{'stage': r['stage'], 'path': r.get('path'), 'sizes': r.get('tuning'),
              'batch': r.get('batch'), **{names[k]: r.get(k) for k in names},
              'flags': ', '.join(r.get('flags') or ()) or None} for r in rows]
    return table(shown)


def beside(result):
    """The best of MesoCL's and of PyTorch's modes: the ratios that matter."""
    best = lambda rows, key: max((r[key] for r in rows if r.get(key)), default=None)
    ours = [r for r in result['speeds'] if r.get('net') == 'meso4' and r.get('path') == 'fused']
    rows = []
    for what, mine, theirs in (
            ('predicting', best([r for r in ours if r['direction'] == 'predict'], 'images_per_s'),
             best([r for r in result['peer'] if r['mode'] == 'float32' and r['use'] == 'predict'],
                  'images_per_s')),
            ('training', best([r for r in ours if r['direction'] != 'predict'], 'images_per_s'),
             best([r for r in result['peer'] if r['mode'] == 'float32' and r['use'] == 'train'],
                  'images_per_s'))):
        rows.append({'Meso-4': what, 'MesoCL, images/s': mine, 'PyTorch float32, images/s': theirs,
                     'times': mine / theirs if mine and theirs else None})
    return table(rows)


def markdown(result):
    device = result['device'] or {}
    parts = [f'# {device.get("name", "No OpenCL device")}, {result["date"]}\n',
             'By `bench/record.sh` in '
             f'{result["seconds"]:.0f} s. Figures are medians of one process.\n']
    about = dict(result['facts'])
    for key in ('platform_name', 'vendor', 'driver', 'version', 'compute_units', 'clock_mhz',
                'max_work_group', 'local_memory_bytes', 'global_memory_bytes'):
        if key in device:
            about[key.replace('_', ' ')] = device[key]
    about.update({k.replace('_', ' '): v for k, v in (result.get('peak') or {}).items()})
    parts.append(table([{'what': k, 'value': v} for k, v in about.items()]))
    for title, text in (('Right answers', table(result['answers'])),
                        ('Speeds', speeds(result['speeds'])),
                        ('Beside PyTorch', beside(result)),
                        ('PyTorch', table(result['peer'])),
                        ('Kernels by CUDA', table(result['kernels'])),
                        ('Stages', table(result['stages']))):
        parts.append(f'## {title}\n\n{text}')
    parts.append('## Missing\n\n' + (''.join(f'* {m}\n' for m in result['missing']) or 'nothing\n'))
    return '\n'.join(parts)

#!/usr/bin/env python3
"""Reads `go test -json` and says what failed and what was skipped.

    test_report.py LOG.jsonl CI-SKIPS.txt

Under CI a skipped test fails unless ci-skips.txt lists it ("package Test reason"). The last line is
"N passed, N failed, N skipped".
"""
import json, os, sys

log, skips_file = sys.argv[1:3]
allowed = set()
if os.path.exists(skips_file):
    for line in open(skips_file):
        words = line.split('#')[0].split(None, 2)
        if len(words) >= 2:
            allowed.add((words[0], words[1]))

output, results = {}, {}
for line in open(log):
    try:
        e = json.loads(line)
    except ValueError:
        print(line, end='')
        continue
    if 'ImportPath' in e and e.get('Action') == 'build-output':
        print(e['Output'], end='')
        continue
    key = (e.get('Package', ''), e.get('Test', ''))
    if e['Action'] == 'output':
        output.setdefault(key, []).append(e['Output'])
    elif e['Action'] in ('pass', 'fail', 'skip'):
        results[key] = e['Action']

bad = 0
counts = {'pass': 0, 'fail': 0, 'skip': 0}
for (pkg, test), result in sorted(results.items()):
    if not test:
        if result == 'fail' and not any(p == pkg and t and r == 'fail' for (p, t), r in results.items()):
            print(f'FAIL {pkg}\n' + ''.join(output.get((pkg, ''), [])))
            bad += 1
        continue
    counts[result] += 1
    short = pkg.removeprefix('cau/')
    if result == 'fail':
        bad += 1
        print(f'FAIL {short} {test}\n' + ''.join(output.get((pkg, test), [])))
    elif result == 'skip':
        why = ' '.join(l.strip() for l in output.get((pkg, test), []) if not l.lstrip().startswith(('===', '---')))
        print(f'skip {short} {test}: {why}')
        if os.environ.get('CI') and (short, test) not in allowed:
            print(f'  not listed in {skips_file}')
            bad += 1
if not counts['pass']:
    print('no test ran')
    bad += 1
print(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped")
sys.exit(1 if bad else 0)

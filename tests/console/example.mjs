// Example data for screenshots and measurements: some weeks of work. Sessions are written in the format of the Python
// version, because the API cannot create sessions with a past date.

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

const CONVERSATION = [
  ['user', 'How do I put two qubits into a **Bell state**? I want to run it on the simulator first.', 34],
  ['assistant', `Two gates do it: a Hadamard on the first qubit, then a CNOT from the first to the second.

\`\`\`python
from qiskit import QuantumCircuit

circuit = QuantumCircuit(2)
circuit.h(0)
circuit.cx(0, 1)
circuit.measure_all()
\`\`\`

Both outcomes, \`00\` and \`11\`, should come up about equally often.`, 33, { traces: [{ step: 'plan', ms: 412 }, { step: 'write', ms: 1830 }], artifacts: [{ file: 'reports/bell.py' }] }],
  ['user', 'Run it 1,000 times.', 12],
  ['tool', '{"counts": {"00": 507, "11": 493}, "shots": 1000}', 12],
  ['assistant', `Done:

| outcome | count |
|---|---:|
| 00 | 507 |
| 11 | 493 |

The difference is well within what chance does.`, 11, { traces: [{ step: 'summary', ms: 390 }] }],
];

const SESSIONS = [
  ['Bell states on the simulator', 'user', 'default', 'active', 11, CONVERSATION],
  ['Review of the noise model', 'team', 'quantum', 'active', 95, 18],
  ['Onboarding questions', 'team', 'quantum', 'paused', 260, 7],
  ['Error budgets for the autumn release', 'user', 'default', 'active', 1_500, 42],
  ['Grover search, second attempt', 'user', 'default', 'completed', 4_400, 63],
  ['Which optimiser, and why', 'user', 'default', 'completed', 8_900, 12],
  ['Reading list', 'user', 'default', 'paused', 21_000, 5],
  ['Variational circuits from scratch', 'user', 'default', 'completed', 36_000, 130],
];

const SKILLS = {
  user: [`---
name: Bell state
description: Puts two qubits into an entangled state and measures them
language: python
tags: [quantum, circuits, simulator]
---

# Skill: Bell state

Puts two qubits into an entangled state and measures them. Use it where a **small, known** circuit is wanted, such as
for looking whether a backend works.

## Code

\`\`\`python
from qiskit import QuantumCircuit

def bell_state() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit
\`\`\`

## What to look for

- \`00\` and \`11\` come up about equally often.
- More than 2 % of \`01\` and \`10\` mean noise.
`, `---
name: Weekly report
description: Sums a week of sessions up for people who were not there
tags: [writing, reports]
---
Say what was decided first.
`],
  system: [`---
name: Error budgets
category: operations
description: How much may fail, and what happens when it has
keywords: [slo, reliability]
---
A budget that is used up stops releases.
`, `---
name: Plain language
category: writing
description: Short sentences, common words, no ornament
tags: [writing]
---
Write it as you would say it.
`],
};

const FILES = { 'reports/bell.py': 900, 'reports/counts.csv': 41_300, 'reports/noise-model.pdf': 1_840_000, 'reports/autumn/summary.md': 3_100 };

const message = ([role, content, minutes, more = {}]) => JSON.stringify({ role, content, timestamp: ago(minutes), traces: null, artifacts: null, ...more });

// Writes the example data. Returns the id of the session to show.
export const fill = async (base, redis) => {
  for (const [name, volume, owner, status, minutes, conversation] of SESSIONS) {
    const id = `sess_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_1765706400`;
    const session = {
      id, name, volume, volume_id: owner, status, messages: [], traces_count: 0,
      created_at: ago(minutes + 90), updated_at: ago(minutes), metadata: {},
    };
    const messages = Array.isArray(conversation) ? conversation : Array.from({ length: conversation }, (_, index) => [index % 2 ? 'assistant' : 'user', 'A message', minutes]);
    redis('SET', `session:${id}`, JSON.stringify(session));
    redis('RPUSH', `session:${id}:messages`, ...messages.map(message));
    redis('SADD', `${volume}:${owner}:sessions`, id);
    redis('SADD', 'all:sessions', id);
  }
  for (const [volume, documents] of Object.entries(SKILLS)) {
    for (const body of documents) {
      await fetch(`${base}/api/skills?volume=${volume}`, { method: 'POST', body, headers: { 'content-type': 'text/markdown' } });
    }
  }
  for (const [path, size] of Object.entries(FILES)) {
    await fetch(`${base}/api/files/${path}`, { method: 'PUT', body: Buffer.alloc(size, 'x') });
  }
  for (let used = 0; used < 12; used += 1) {
    await fetch(`${base}/api/skills/bell-state/usage`, { method: 'POST', body: JSON.stringify({ success: used !== 3 }), headers: { 'content-type': 'application/json' } });
  }
  return { session: 'sess_bell_states_on_the_simulator_1765706400' };
};

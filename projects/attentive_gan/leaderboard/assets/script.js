'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const get = (id) => document.getElementById(id);
  const minus = (text) => text.replace('-', '−');
  const protocol = () => document.body.dataset.protocol;

  // The table: sorting and filtering.
  const board = get('board');
  const body = board.tBodies[0];
  const heads = [...board.tHead.rows[0].cells];
  const sortBy = (head, direction) => {
    const index = heads.indexOf(head);
    const sign = direction === 'ascending' ? 1 : -1;
    const value = (row) => row.cells[index].dataset.v;
    const compare = (one, other) => {
      const a = value(one), b = value(other);
      if (a === '' || b === '') return (a === '') - (b === '');
      return sign * (index === 1 ? a.localeCompare(b) : Number(a) - Number(b));
    };
    body.append(...[...body.rows].sort(compare));
    heads.forEach((other) => other.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', direction);
  };
  heads.forEach((head) => head.firstElementChild.addEventListener('click', () => {
    const opposite = { ascending: 'descending', descending: 'ascending' };
    sortBy(head, opposite[head.getAttribute('aria-sort')] || head.dataset.first);
  }));
  const filter = () => {
    const words = get('filter').value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const reference = row.classList.contains('reference') && !get('references').checked;
      row.hidden = reference || !words.every((word) => row.dataset.text.includes(word));
      shown += !row.hidden;
    }
    get('shown').textContent = `${shown} of ${body.rows.length} entries shown`;
  };
  get('filter').addEventListener('input', filter);
  get('references').addEventListener('change', filter);

  // A row's name opens how it was made.
  const openTarget = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === 'DETAILS') target.open = true;
  };
  addEventListener('hashchange', openTarget);
  openTarget();

  // What either side of the slider may show.
  const sources = [
    { label: 'rainy', file: (at) => data.rainy + data.files[at] },
    ...data.entries.filter((entry) => entry.kind !== 'input').flatMap((entry) => [
      { label: entry.name, entry, file: (at) => entry.images + data.files[at] },
      ...(entry.attention
        ? [{ label: `${entry.name}: attention`, entry, file: (at) => entry.mapped[at] ? entry.attention + data.files[at] : '' }]
        : []),
    ]),
    { label: 'clean', file: (at) => data.clean + data.files[at] },
  ];
  for (const select of [get('left'), get('right')]) {
    sources.forEach((source, index) => select.add(new Option(source.label, String(index))));
  }
  const competes = (source) => source.entry && source.entry.kind !== 'inpainting';
  const firstEntry = Math.max(sources.findIndex(competes), sources.findIndex((source) => source.entry && sources.every((other) => !competes(other))));
  get('right').value = String(firstEntry < 0 ? sources.length - 1 : firstEntry);

  let current = 0;
  let order = [];
  const side = (id) => sources[Number(get(id).value)];
  const judged = () => side('right').entry || side('left').entry || data.entries[0];
  const reference = data.entries.find((entry) => entry.name === data.reference);
  const scoreOf = (entry, at) => (entry && entry.scores[`${protocol()}_psnr`] || [])[at];
  const gainOf = (at) => {
    const own = scoreOf(judged(), at), base = scoreOf(reference, at);
    return own == null || base == null ? null : own - base;
  };
  const decibels = (value, sign) => value == null ? '–' : minus((sign && value >= 0 ? '+' : '') + value.toFixed(2));

  const show = (at) => {
    current = at;
    const [width, height] = data.sizes[at];
    for (const [id, which] of [['over', 'left'], ['under', 'right']]) {
      const image = get(id), source = side(which);
      image.width = width;
      image.height = height;
      image.alt = `${data.names[at]}, ${source.label}`;
      const file = source.file(at);
      if (file) image.src = file; else image.removeAttribute('src');
    }
    get('compare').style.aspectRatio = `${width} / ${height}`;
    get('tag-left').textContent = side('left').label;
    get('tag-right').textContent = side('right').label;
    get('caption').textContent = `${data.names[at]}: ${judged().name} ${decibels(scoreOf(judged(), at))} dB · ${protocol()}`
      + (reference && judged() !== reference ? `, ${decibels(gainOf(at), true)} to ${reference.name}` : '');
    for (const button of get('list').querySelectorAll('[aria-current]')) button.removeAttribute('aria-current');
    const button = get('list').querySelector(`[data-at="${at}"]`);
    if (button) button.setAttribute('aria-current', 'true');
  };
  const step = (by) => {
    if (!order.length) return;
    const place = order.indexOf(current);
    show(order[(Math.max(place, by < 0 ? 0 : place) + by + order.length) % order.length]);
    const button = get('list').querySelector('[aria-current]');
    const list = get('list');
    if (button) list.scrollTop = button.offsetTop - list.offsetTop - list.clientHeight / 2;
  };
  const text = (tag, content, name) => {
    const element = document.createElement(tag);
    element.textContent = content;
    if (name) element.className = name;
    return element;
  };
  const gainClass = (gain) => `gain${gain == null || Math.abs(gain) < 0.005 ? '' : gain > 0 ? ' up' : ' down'}`;
  const byGain = (indices) => indices.filter((at) => gainOf(at) != null).sort((a, b) => gainOf(a) - gainOf(b));
  const strip = (id, indices) => {
    get(id).replaceChildren(...indices.map((at) => {
      const button = document.createElement('button');
      const image = document.createElement('img');
      button.type = 'button';
      image.loading = 'lazy';
      image.decoding = 'async';
      image.alt = '';
      image.src = judged().images + data.files[at];
      button.append(image, text('b', data.names[at]), text('span', `${decibels(gainOf(at), true)} dB`, gainClass(gainOf(at))));
      button.addEventListener('click', () => { show(at); get('compare').scrollIntoView({ block: 'center' }); });
      return button;
    }));
  };
  const refresh = () => {
    const word = get('find').value.toLowerCase();
    const all = data.names.map((_, at) => at);
    const found = all.filter((at) => data.names[at].toLowerCase().includes(word));
    const kind = get('order').value;
    order = kind === 'set' ? found : byGain(found);
    if (kind === 'best') order.reverse();
    document.querySelector('.psnr-head').textContent = `dB · ${protocol()}`;
    get('gain-head').textContent = reference ? `to ${data.reference}` : '';
    get('list').replaceChildren(...order.map((at) => {
      const item = document.createElement('li');
      const button = document.createElement('button');
      button.type = 'button';
      button.dataset.at = at;
      button.append(text('span', data.names[at]), text('span', decibels(scoreOf(judged(), at))), text('span', decibels(gainOf(at), true), gainClass(gainOf(at))));
      item.append(button);
      return item;
    }));
    const ranked = byGain(all);
    const count = Math.min(4, Math.ceil(ranked.length / 2));
    strip('worst', ranked.slice(0, count));
    strip('best', ranked.slice(-count).reverse());
    show(current);
  };
  get('list').addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) show(Number(button.dataset.at));
  });
  get('previous').addEventListener('click', () => step(-1));
  get('next').addEventListener('click', () => step(1));
  for (const id of ['left', 'right', 'order']) get(id).addEventListener('change', refresh);
  get('find').addEventListener('input', refresh);

  const slider = get('slider');
  const place = attachSlider(get('compare'), slider, () => side('left').label);
  slider.addEventListener('keydown', (event) => {
    const by = { n: 1, p: -1 }[event.key.toLowerCase()];
    if (by && !event.ctrlKey && !event.metaKey && !event.altKey) { step(by); event.preventDefault(); }
  });
  for (const radio of document.querySelectorAll('input[name=protocol]')) {
    radio.addEventListener('change', () => {
      document.body.dataset.protocol = radio.value;
      refresh();
    });
    if (radio.checked) document.body.dataset.protocol = radio.value;
  }
  refresh();
  place();
  document.documentElement.dataset.ready = 'true';
})();

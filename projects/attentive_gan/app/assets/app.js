(() => {
  const get = (id) => document.getElementById(id);
  const headers = { 'X-App-Token': document.querySelector('meta[name=app-token]').content };
  const limit = Number(document.body.dataset.limit);
  let key = '';       // job on the server
  let turn = 0;       // counts images, so that answers about an earlier one are ignored
  let urls = {};
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  const place = attachSlider(get('compare'), get('slider'), () => 'rainy');

  const forget = () => {
    if (key) fetch(`/jobs/${key}`, { method: 'DELETE', headers, keepalive: true }).catch(() => {});
    key = '';
  };
  const report = (text, percent) => {
    get('doing').textContent = text;
    if (percent === undefined) get('bar').removeAttribute('value'); else get('bar').value = percent;
    // Read aloud at every quarter only.
    const spoken = percent === undefined ? text : `${Math.floor(percent / 25) * 25} % restored`;
    if (get('status').textContent !== spoken) get('status').textContent = spoken;
  };
  const fail = (text) => {
    get('working').hidden = true;
    get('status').textContent = '';
    get('error').textContent = text;
    get('error').hidden = false;
  };
  const answer = async (response) => {
    if (response.ok) return response;
    const body = await response.json().catch(() => ({}));
    const tooLarge = response.status === 413 && 'The file is too large.';
    throw new Error(body.error || tooLarge || `The app answered ${response.status}.`);
  };

  const waitFor = async (mine, name) => {
    for (;;) {
      const job = await (await answer(await fetch(`/jobs/${key}`))).json();
      if (mine !== turn || job.state === 'done') return job;
      if (job.state === 'failed') throw new Error(job.error);
      if (job.state === 'waiting') report(job.before ? `Waiting: ${job.before} before this one` : 'Starting …');
      else if (job.fraction > 0) report(`Restoring ${name} · ${Math.floor(100 * job.fraction)} %`, 100 * job.fraction);
      else report(`Restoring ${name} …`);
      await pause(250);
    }
  };
  const view = () => {
    const chosen = document.querySelector('input[name=view]:checked').value;
    get('under').src = urls[chosen];
    get('under').alt = chosen === 'attention' ? 'Attention map of the drops' : 'Restored image';
    get('right-tag').textContent = chosen === 'attention' ? 'Attention map' : 'Restored';
  };
  const show = async (mine, job, name) => {
    const fetched = {};
    for (const file of job.files) {
      const blob = await (await answer(await fetch(`/jobs/${key}/${file}`))).blob();
      if (mine !== turn) return;
      fetched[file] = blob;
    }
    forget();  // everything is fetched
    Object.values(urls).forEach((url) => URL.revokeObjectURL(url));
    urls = Object.fromEntries(Object.entries(fetched).map(([file, blob]) => [file, URL.createObjectURL(blob)]));
    get('name').textContent = name;
    get('views').hidden = !urls.attention;
    document.querySelector('input[value=restored]').checked = true;
    get('over').src = urls.rainy;
    get('over').alt = 'Rainy image';
    view();
    get('size').textContent = `${job.width} × ${job.height} pixels`
      + (Math.max(job.width, job.height) > 2048 ? ', shown smaller here; downloads have the full size.' : '');
    for (const file of ['kept', 'png']) {
      get(file).hidden = !urls[file];
      if (urls[file]) { get(file).href = urls[file]; get(file).download = job.names[file]; }
    }
    get('lost').textContent = Object.entries(job.lost)
      .map(([file, lost]) => `Not kept in ${job.names[file]}: ${lost.join(', ')}.`).join(' ');
    get('kept').textContent = `Download (${job.names.kept.split('.').pop().toUpperCase()})`;
    get('slider').value = '50';
    place();
    get('working').hidden = true;
    get('result').hidden = false;
    get('status').textContent = 'The restored image is ready.';
    get('result').focus({ preventScroll: true });
    get('result').scrollIntoView({ block: 'start' });
  };

  const send = async (file) => {
    forget();
    const mine = ++turn;
    get('error').hidden = true;
    get('result').hidden = true;
    if (file.size > limit) return fail(`${file.name} is larger than ${limit / 1e6} MB. Choose a smaller file.`);
    get('working').hidden = false;
    report(`Sending ${file.name} …`);
    try {
      const response = await fetch('/jobs', {
        method: 'POST',
        headers: { ...headers, 'X-File-Name': encodeURIComponent(file.name.toWellFormed?.() ?? file.name), 'Content-Type': 'application/octet-stream' },
        body: file,
      });
      const sent = (await (await answer(response)).json()).key;
      if (mine !== turn) {
        fetch(`/jobs/${sent}`, { method: 'DELETE', headers }).catch(() => {});
        return;
      }
      key = sent;
      const job = await waitFor(mine, file.name);
      if (mine === turn) await show(mine, job, file.name);
    } catch (error) {
      if (mine !== turn) return;
      forget();
      fail(error instanceof TypeError ? 'The app does not answer. Is it still running in the terminal?' : error.message);
    }
  };

  get('file').addEventListener('change', () => {
    if (get('file').files.length) send(get('file').files[0]);
    get('file').value = '';
  });
  get('cancel').addEventListener('click', () => {
    turn += 1;
    forget();
    get('working').hidden = true;
    get('status').textContent = 'Cancelled.';
    get('file').focus();
  });
  for (const radio of document.querySelectorAll('input[name=view]')) radio.addEventListener('change', view);
  addEventListener('dragover', (event) => { event.preventDefault(); get('drop').classList.add('over'); });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) get('drop').classList.remove('over'); });
  addEventListener('drop', (event) => {
    event.preventDefault();
    get('drop').classList.remove('over');
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
  addEventListener('paste', (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); send(event.clipboardData.files[0]); }
  });
  addEventListener('pagehide', () => { turn += 1; forget(); });
})();

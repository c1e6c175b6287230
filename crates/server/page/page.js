// The administrators' page: plain DOM, text only ever as text, every request to this server.
'use strict'

const HOME = '00000000-0000-0000-0000-000000000000'
const state = { words: {}, language: 'zh-CN', me: null, hospital: null, hospitals: [], view: 'overview', said: '' }

function t(key, params = {}) {
  const text = state.words[key] ?? key
  return text.replace(/\{(\w+)\}/g, (all, name) => params[name] ?? all)
}

/** An element with attributes, handlers (onclick: function) and children. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value)
    else if (value === true) node.setAttribute(name, '')
    else if (value !== false && value != null) node.setAttribute(name, value)
  }
  node.append(...children.flat().filter((child) => child != null && child !== false))
  return node
}

/** Asks the server; a refusal becomes words. */
async function ask(method, path, body) {
  let answer
  try {
    answer = await fetch(path, {
      method,
      headers: { 'content-type': 'application/json', 'aftercare-office': '1' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw new Error(t('page_unreachable'))
  }
  if (answer.status === 204) return null
  const said = await answer.json().catch(() => ({ code: 'internal' }))
  if (answer.ok) return said
  if (said.code === 'token' || said.code === 'token_expired') state.me = null
  throw new Error(t(`failed_${said.code}`, { about: said.about ?? '' }))
}

/** Runs what a button does; what goes wrong is said on the page, never in a dialog. */
function act(work) {
  return async (event) => {
    event?.preventDefault()
    state.said = ''
    const buttons = document.querySelectorAll('button')
    buttons.forEach((button) => (button.disabled = true))
    try {
      await work(event)
    } catch (error) {
      state.said = error.message
    }
    buttons.forEach((button) => (button.disabled = false))
    await show()
  }
}

const fields = (event) => Object.fromEntries(new FormData(event.target))
const instant = (millis) => (millis ? new Date(millis).toLocaleString(state.language) : '–')
const count = (number) => new Intl.NumberFormat(state.language).format(number)

function size(bytes) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const step = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1024))) : 0
  return `${(bytes / 1024 ** step).toFixed(step > 0 ? 1 : 0)} ${units[step]}`
}

function field(word, name, more = {}) {
  return el('label', {}, word, el('input', { name, autocomplete: 'off', ...more }))
}

function table(heads, rows, empty) {
  if (rows.length === 0) return el('p', { class: 'faint' }, empty)
  const head = el('tr', {}, heads.map((word) => el('th', { scope: 'col' }, word)))
  return el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, head), el('tbody', {}, rows)))
}

function saidLine() {
  return el('p', { class: 'said', role: 'status' }, state.said)
}

/** Asks before what cannot be taken back: the button's second press does it. */
function sure(word, work) {
  let asked = false
  const button = el('button', { class: 'plain' }, word)
  button.addEventListener('click', (event) => {
    if (asked) return act(work)(event)
    asked = true
    button.textContent = t('page_sure', { what: word })
    return undefined
  })
  return button
}

// ---- at the door

function signIn() {
  const enter = act(async (event) => {
    await ask('POST', '/office/sign-in', fields(event))
    state.me = await ask('GET', '/office/me')
  })
  return el('div', { class: 'door' },
    el('h1', {}, t('page_title')),
    el('form', { class: 'card', onsubmit: enter },
      field(t('page_login'), 'login', { required: true, autofocus: true, autocomplete: 'username' }),
      field(t('page_password'), 'password', { type: 'password', required: true, autocomplete: 'current-password' }),
      field(t('page_hospital_word'), 'hospital'),
      saidLine(),
      el('button', { class: 'main' }, t('page_enter'))),
    languageButton())
}

function choosePassword(forced) {
  const change = act(async (event) => {
    const { old, first, second } = fields(event)
    if (first !== second) throw new Error(t('page_differ'))
    await ask('POST', '/office/password', { old, new: first })
    state.me = await ask('GET', '/office/me')
    state.view = 'overview'
    state.said = t('page_password_changed')
  })
  return el('form', { class: 'card', onsubmit: change },
    el('h2', {}, t('page_change_password')),
    forced && el('p', {}, t('page_must_change')),
    field(t('page_old_password'), 'old', { type: 'password', required: true, autocomplete: 'current-password' }),
    field(t('page_new_password'), 'first', { type: 'password', required: true, minlength: 10, autocomplete: 'new-password' }),
    field(t('page_again'), 'second', { type: 'password', required: true, autocomplete: 'new-password' }),
    forced && saidLine(),
    el('button', { class: 'main' }, t('page_change')))
}

function languageButton() {
  const other = state.language === 'en' ? 'zh-CN' : 'en'
  const change = act(async () => {
    localStorage.setItem('language', other)
    await speak(other)
  })
  return el('button', { class: 'plain', lang: other, onclick: change }, other === 'en' ? 'English' : '中文')
}

// ---- the pages

async function overview() {
  const { hospitals, now } = await ask('GET', '/office/hospitals')
  const parts = hospitals.map((hospital) => el('section', { class: 'card' },
    el('div', { class: 'bar' },
      el('h2', {}, hospital.name, ' ', el('span', { class: 'faint' }, hospital.word)),
      hospital.closed && el('strong', {}, t('closed')),
      state.me.server && (hospital.closed
        ? el('button', { onclick: act(() => ask('POST', `/office/hospitals/${hospital.id}/state`, { closed: false })) }, t('page_open'))
        : sure(t('page_close'), () => ask('POST', `/office/hospitals/${hospital.id}/state`, { closed: true })))),
    el('div', { class: 'figures' },
      figure(count(hospital.devices), t('page_devices')),
      figure(count(hospital.records), t('page_records')),
      figure(size(hospital.bytes), t('page_storage')),
      figure(count(hospital.head), t('page_head')),
      figure(count(hospital.head - hospital.durable), t('page_uncovered')),
      figure(count(hospital.quarantined), t('page_quarantined')))))
  const add = act(async (event) => {
    await ask('POST', '/office/hospitals', fields(event))
    state.said = t('page_added')
  })
  return [
    el('div', { class: 'bar' }, el('h2', {}, t('page_overview')), el('span', { class: 'faint' }, instant(now))),
    ...parts,
    state.me.server && el('form', { class: 'card', onsubmit: add },
      el('h2', {}, t('page_add_hospital')),
      field(t('page_word'), 'word', { required: true, maxlength: 40 }),
      field(t('page_name'), 'name', { required: true, maxlength: 100 }),
      el('div', {}, el('button', {}, t('page_add')))),
  ]
}

function figure(value, word) {
  return el('p', {}, el('strong', {}, value), el('span', { class: 'faint' }, word))
}

async function desks() {
  const base = `/office/hospitals/${state.hospital.id}`
  const [devices, sites] = await Promise.all([ask('GET', `${base}/devices`), ask('GET', `${base}/sites`)])
  const to = (device, status) => () => ask('POST', `${base}/devices/${device.id}`, { status })
  const rows = devices.map((device) => el('tr', {},
    el('td', {}, device.name),
    el('td', {}, device.sites.join('、')),
    el('td', {}, t(`page_${device.status}`)),
    el('td', {}, instant(device.last_contact_at)),
    el('td', { class: 'number' }, count(device.last_dseq)),
    el('td', { class: 'acts' },
      device.status === 'active' && sure(t('page_revoke'), to(device, 'revoked')),
      device.status === 'revoked' && el('button', { class: 'plain', onclick: act(to(device, 'active')) }, t('page_admit')),
      device.status !== 'wipe' && sure(t('page_wipe'), to(device, 'wipe')))))
  const make = act(async (event) => {
    const asked = new FormData(event.target)
    const made = await ask('POST', `${base}/codes`, { sites: asked.getAll('site'), history: asked.has('history') })
    state.code = { ...made, hospital: state.hospital.id }
  })
  const heads = [t('page_desk'), t('page_sites'), t('page_state'), t('page_last_contact'), t('page_changes'), '']
  return [
    el('h2', {}, t('page_devices')),
    table(heads, rows, t('page_no_devices')),
    el('form', { class: 'card', onsubmit: make },
      el('h2', {}, t('page_new_code')),
      el('p', { class: 'faint' }, t('page_code_hint')),
      sites.map((site) => el('label', { class: 'row' }, el('input', { type: 'checkbox', name: 'site', value: site.id }), site.name)),
      el('label', { class: 'row' }, el('input', { type: 'checkbox', name: 'history', checked: true }), t('page_history')),
      el('div', {}, el('button', { class: 'main' }, t('page_make_code'))),
      state.code?.hospital === state.hospital.id && el('div', {},
        el('p', { class: 'code' }, state.code.code),
        el('p', { class: 'faint' }, t('page_code_fingerprint', { fingerprint: state.code.fingerprint, words: state.code.fingerprint_words })),
        el('p', { class: 'faint' }, t('page_code_until', { at: instant(state.code.expires_at) })))),
    stickCard(state.hospital.id),
  ]
}

/** The stick of a desk without a network: its file up, the answer down as a file of its own. */
function stickCard(tenant) {
  const send = act(async (event) => {
    const file = new FormData(event.target).get('file')
    let answer
    try {
      answer = await fetch(`/office/hospitals/${tenant}/stick`, { method: 'POST', headers: { 'content-type': 'application/octet-stream', 'aftercare-office': '1' }, body: file })
    } catch {
      throw new Error(t('page_unreachable'))
    }
    if (!answer.ok) {
      const said = await answer.json().catch(() => ({ code: 'internal' }))
      throw new Error(t(`failed_${said.code}`, { about: said.about ?? '' }))
    }
    const result = JSON.parse(answer.headers.get('aftercare-result'))
    const devices = await ask('GET', `/office/hospitals/${tenant}/devices`)
    const name = devices.find((device) => device.id === result.device)?.name ?? ''
    const link = el('a', { href: URL.createObjectURL(await answer.blob()), download: `${name || 'desk'}.answer` })
    link.click()
    URL.revokeObjectURL(link.href)
    state.said = t(result.again ? 'page_stick_again' : 'page_stick_done', { ...result, name })
  })
  return el('form', { class: 'card', onsubmit: send },
    el('h2', {}, t('page_stick')),
    el('p', { class: 'faint' }, t('page_stick_text')),
    field(t('page_stick_file'), 'file', { type: 'file', required: true }),
    el('div', {}, el('button', { class: 'main' }, t('page_stick_answer'))))
}

async function people(tenant) {
  const base = `/office/hospitals/${tenant}/users`
  const users = await ask('GET', base)
  const path = (user, what) => `${base}/${encodeURIComponent(user.login)}/${what}`
  const reset = (user) => async () => {
    const { password } = await ask('POST', path(user, 'reset'))
    state.said = t('password_reset', { login: user.login, password })
  }
  const rows = users.map((user) => el('tr', {},
    el('td', {}, user.login),
    el('td', {}, user.name),
    el('td', {},
      user.active ? (user.locked ? t('page_locked') : t('page_active')) : t('page_shut_out'),
      user.trusted_from && el('div', { class: 'faint' }, t('page_password_new', { at: instant(user.trusted_from) }))),
    el('td', { class: 'acts' },
      tenant !== HOME && state.me.server && !user.roles.includes('administrator') && sure(t('page_appoint'), () => ask('POST', path(user, 'appoint'))),
      sure(t('page_reset'), reset(user)),
      user.active && sure(t('page_disable'), () => ask('POST', path(user, 'disable'))))))
  const add = act(async (event) => {
    const asked = fields(event)
    const { password } = await ask('POST', base, asked)
    state.said = t('administrator_added', { login: asked.login, password })
  })
  const heads = [t('page_login'), t('page_name'), t('page_state'), '']
  return [
    el('h2', {}, tenant === HOME ? t('page_administrators') : t('page_people')),
    table(heads, rows, t('page_no_people')),
    tenant === HOME && el('form', { class: 'card', onsubmit: add },
      el('h2', {}, t('page_add_administrator')),
      field(t('page_login'), 'login', { required: true, maxlength: 40 }),
      field(t('page_name'), 'name', { required: true, maxlength: 100 }),
      el('div', {}, el('button', {}, t('page_add')))),
  ]
}

async function sitesPage() {
  const sites = await ask('GET', `/office/hospitals/${state.hospital.id}/sites`)
  const base = `/office/hospitals/${state.hospital.id}/sites`
  const rename = (site) => act(async (event) => {
    await ask('POST', `${base}/${site.id}`, fields(event))
    state.said = t('page_renamed')
  })
  const add = act(async (event) => {
    await ask('POST', base, fields(event))
    state.said = t('page_added')
  })
  const named = (site) => el('form', { class: 'inline', onsubmit: rename(site) },
    el('input', { name: 'name', value: site.name, required: true, maxlength: 100, 'aria-label': t('page_name') }),
    el('button', { class: 'plain' }, t('page_rename')))
  const rows = sites.map((site) => el('tr', {}, el('td', {}, named(site)), el('td', { class: 'faint' }, site.id)))
  return [
    el('h2', {}, t('page_sites')),
    table([t('page_name'), t('page_id')], rows, t('page_no_sites')),
    el('form', { class: 'card', onsubmit: add },
      el('h2', {}, t('page_add_site')),
      el('p', { class: 'faint' }, t('page_site_hint')),
      field(t('page_name'), 'name', { required: true, maxlength: 100 }),
      el('div', {}, el('button', {}, t('page_add')))),
  ]
}

async function waiting() {
  const base = `/office/hospitals/${state.hospital.id}`
  const [changes, names] = await Promise.all([ask('GET', `${base}/waiting`), namesOf(state.hospital.id)])
  const decide = (change, counts) => () => ask('POST', `${base}/waiting/${change.number}`, { counts })
  const rows = changes.map((change) => el('tr', {},
    el('td', { class: 'number' }, count(change.number)),
    el('td', {}, instant(change.at)),
    el('td', {}, names[change.device] ?? change.device),
    el('td', {}, names[change.user] ?? change.user),
    el('td', {}, change.entity, ': ', change.fields.join(', ')),
    el('td', {}, change.why === 'author' ? t('page_why_author') : t('page_why_scope')),
    el('td', { class: 'acts' },
      sure(t('page_release'), decide(change, true)),
      sure(t('page_reject'), decide(change, false)))))
  const heads = [t('page_number'), t('page_at'), t('page_desk'), t('page_actor'), t('page_fields'), t('page_why'), '']
  return [
    el('h2', {}, t('page_quarantined')),
    el('p', { class: 'faint' }, t('page_waiting_hint')),
    table(heads, rows, t('page_nothing_waits')),
  ]
}

/** Names of the desks and people that the server knows, by id. */
async function namesOf(tenant) {
  const asked = [ask('GET', `/office/hospitals/${tenant}/users`)]
  if (state.me.server) asked.push(ask('GET', `/office/hospitals/${HOME}/users`))
  if (tenant !== HOME) asked.push(ask('GET', `/office/hospitals/${tenant}/devices`))
  const known = (await Promise.all(asked)).flat()
  const names = Object.fromEntries(known.map((each) => [each.id, each.name || each.login]))
  for (const hospital of state.hospitals) names[hospital.id] = hospital.name
  return { ...names, [HOME]: t('page_console') }
}

async function trail(tenant) {
  const [{ count: lines_count, broken_at, lines }, names] = await Promise.all([
    ask('GET', `/office/hospitals/${tenant}/audit`),
    namesOf(tenant),
  ])
  const rows = lines.map((line) => el('tr', {},
    el('td', { class: 'number' }, count(line.number)),
    el('td', {}, instant(line.at)),
    el('td', {}, t(`act_${line.act}`)),
    el('td', {}, names[line.actor] ?? line.actor),
    el('td', { class: 'faint' }, line.object === HOME ? '' : (names[line.object] ?? line.object))))
  const hospital = tenant === HOME ? t('page_server') : state.hospital.name
  const whole = { hospital, entries: count(lines_count), at: count(broken_at ?? 0) }
  const heads = [t('page_number'), t('page_at'), t('page_act'), t('page_actor'), t('page_object')]
  return [
    el('h2', {}, t('page_audit')),
    el('p', {}, broken_at == null ? t('trail_whole', whole) : t('trail_broken', whole)),
    table(heads, rows, t('page_no_lines')),
  ]
}

const VIEWS = {
  overview: { word: () => t('page_overview'), show: overview },
  desks: { word: () => t('page_devices'), show: desks, hospital: true },
  sites: { word: () => t('page_sites'), show: sitesPage, hospital: true },
  waiting: { word: () => t('page_quarantined'), show: waiting, hospital: true },
  people: { word: () => t('page_people'), show: () => people(state.hospital.id), hospital: true },
  audit: { word: () => t('page_audit'), show: () => trail(state.hospital.id), hospital: true },
  administrators: { word: () => t('page_administrators'), show: () => people(HOME), server: true },
  server_audit: { word: () => t('page_server_audit'), show: () => trail(HOME), server: true },
  password: { word: () => t('page_change_password'), show: () => [choosePassword(false)], foot: true },
}

function navigation() {
  const button = ([name, view]) => el('button', {
    'aria-current': state.view === name ? 'page' : null,
    onclick: act(async () => { state.view = name; state.code = null }),
  }, view.word())
  const entries = Object.entries(VIEWS).filter(([, view]) => (!view.hospital || state.hospital) && (!view.server || state.me.server))
  const choose = act(async (event) => {
    state.hospital = state.hospitals.find((hospital) => hospital.id === event.target.value)
    state.code = null
  })
  const chooser = state.hospitals.length > 1 && el('select', { 'aria-label': t('page_hospital'), onchange: choose },
    state.hospitals.map((hospital) => el('option', { value: hospital.id, selected: hospital.id === state.hospital?.id }, hospital.name)))
  const leave = act(async () => {
    await ask('POST', '/office/sign-out')
    state.me = null
    state.hospital = null
  })
  return el('nav', {},
    el('h1', {}, t('page_title')),
    chooser,
    entries.filter(([, view]) => !view.foot).map(button),
    el('div', { class: 'foot' },
      el('span', {}, state.me.name || state.me.login),
      entries.filter(([, view]) => view.foot).map(button),
      languageButton(),
      el('button', { class: 'plain', onclick: leave }, t('page_leave'))))
}

async function inside() {
  const { hospitals } = await ask('GET', '/office/hospitals')
  state.hospitals = hospitals
  state.hospital = hospitals.find((hospital) => hospital.id === state.hospital?.id) ?? hospitals[0] ?? null
  const view = VIEWS[state.view]
  const parts = await view.show()
  return el('div', { class: 'frame' }, navigation(), el('div', { class: 'content' }, saidLine(), parts))
}

/** Draws what holds now. */
async function show() {
  const page = document.getElementById('page')
  let content
  try {
    if (state.me === null) content = signIn()
    else if (state.me.must_change) content = el('div', { class: 'door' }, choosePassword(true))
    else content = await inside()
  } catch (error) {
    state.said = error.message
    content = state.me === null ? signIn() : el('div', { class: 'door' }, saidLine(), el('button', { onclick: act(async () => {}) }, t('page_retry')))
  }
  page.replaceChildren(content)
  page.dataset.ready = state.me === null ? 'door' : state.view
}

async function speak(language) {
  state.words = await fetch(`/words/${language}`).then((answer) => answer.json())
  state.language = language
  document.documentElement.lang = language
  document.title = t('page_title')
}

async function begin() {
  const kept = localStorage.getItem('language')
  await speak(kept ?? (navigator.language.startsWith('en') ? 'en' : 'zh-CN'))
  state.me = await ask('GET', '/office/me').catch(() => null)
  state.said = ''
  await show()
}

begin()

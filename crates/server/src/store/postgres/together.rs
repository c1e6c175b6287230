//! Pushes of one hospital that arrive while a transaction of this process holds its row lock are taken in
//! together by the next: many desks share one lock, one commit and the statements between.
//!
//! Several processes stay apart by the row lock alone, as before. Where a group fails for a reason that may
//! be one push's own, each is taken in alone, so that none spoils the others'.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::super::push::{Push, Taken, take_all};
use super::super::{Result, StoreError};
use super::{Inner, lock};

/// Most pushes of a group …
const MOST_TOGETHER: usize = 64;
/// … and most ops, unless one push alone has more: nobody waits long for what is another's.
const MOST_OPS: usize = 1000;

/// What waits, by hospital. A hospital without a line has nobody at work.
#[derive(Default)]
pub(super) struct Queues {
    lines: Mutex<HashMap<Uuid, VecDeque<Waiting>>>,
}

struct Waiting {
    push: Push,
    answer: oneshot::Sender<Result<Taken>>,
}

impl Queues {
    /// Queues up; says whether somebody must begin to work.
    fn join(&self, tenant: Uuid, waiting: Waiting) -> bool {
        let mut lines = lock(&self.lines);
        let begins = !lines.contains_key(&tenant);
        lines.entry(tenant).or_default().push_back(waiting);
        begins
    }

    /// The next group, of different desks; none: the work is done, and whoever comes next begins anew.
    fn next(&self, tenant: Uuid) -> Vec<Waiting> {
        let mut lines = lock(&self.lines);
        let Some(line) = lines.get_mut(&tenant) else {
            return Vec::new();
        };
        let mut group: Vec<Waiting> = Vec::new();
        let mut devices = HashSet::new();
        let mut ops = 0;
        while let Some(first) = line.front() {
            ops += first.push.size();
            let full = group.len() >= MOST_TOGETHER || (ops > MOST_OPS && !group.is_empty());
            if full || !devices.insert(first.push.device()) {
                break;
            }
            group.extend(line.pop_front());
        }
        if group.is_empty() {
            lines.remove(&tenant);
        }
        group
    }
}

/// Whoever works for a hospital. Should it ever be stopped in the midst, the next push begins anew, and those who
/// waited are told that nobody knows.
struct Turn {
    inner: Arc<Inner>,
    tenant: Uuid,
    over: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            lock(&self.inner.queues.lines).remove(&self.tenant);
        }
    }
}

/// Takes a push in, with others or alone.
pub(super) async fn push(inner: &Arc<Inner>, tenant: Uuid, push: Push) -> Result<Taken> {
    let (answer, wait) = oneshot::channel();
    if inner.queues.join(tenant, Waiting { push, answer }) {
        let turn = Turn { inner: Arc::clone(inner), tenant, over: false };
        // A task of its own: that one desk hangs up must not stop the work for the others.
        tokio::spawn(work(turn));
    }
    wait.await.map_err(|_| StoreError::Unavailable("closed".into()))?
}

async fn work(mut turn: Turn) {
    loop {
        let group = turn.inner.queues.next(turn.tenant);
        if group.is_empty() {
            // The line is gone already, and another may have begun.
            turn.over = true;
            return;
        }
        take(&turn.inner, turn.tenant, group).await;
    }
}

async fn take(inner: &Inner, tenant: Uuid, group: Vec<Waiting>) {
    let (pushes, answers): (Vec<Push>, Vec<_>) =
        group.into_iter().map(|waiting| (waiting.push, waiting.answer)).unzip();
    match write(inner, tenant, pushes.clone()).await {
        Ok(taken) => {
            for (answer, taken) in answers.into_iter().zip(taken) {
                // Nobody waits any more where a desk hung up; what is written stays.
                let _ = answer.send(taken);
            }
        }
        Err(error) if pushes.len() == 1 || !may_be_ones_own(&error) => {
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
        Err(_) => {
            for (push, answer) in pushes.into_iter().zip(answers) {
                let alone = write(inner, tenant, vec![push]).await;
                let taken = alone.and_then(|taken| taken.into_iter().next().unwrap_or_else(no_answer));
                let _ = answer.send(taken);
            }
        }
    }
}

/// Whether an error may come of one push: nothing that concerns the database as a whole.
fn may_be_ones_own(error: &StoreError) -> bool {
    !matches!(error, StoreError::Unavailable(_) | StoreError::DiskFull | StoreError::Busy)
}

fn no_answer() -> Result<Taken> {
    Err(StoreError::Database("form".into()))
}

async fn write(inner: &Inner, tenant: Uuid, pushes: Vec<Push>) -> Result<Vec<Result<Taken>>> {
    let pushes = Arc::new(pushes);
    inner
        .write(tenant, move |tx| {
            let pushes = Arc::clone(&pushes);
            Box::pin(async move { take_all(tx, &pushes).await })
        })
        .await
}

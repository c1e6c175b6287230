//! A desk whose sites change.

use std::collections::BTreeSet;

use aftercare_sync::desk::{Replica, merge_record};
use aftercare_sync::{HOSPITAL, Scope};
use uuid::Uuid;

use crate::desk::{Desk, sure};
use crate::server::Server;

impl Desk {
    /// The desk is told its sites before it asks. Who is at a site that it does not see any more leaves it, and so
    /// does whom the desk itself sent from there to a site that it never saw.
    pub fn see_sites(&mut self, sites: &BTreeSet<Scope>) {
        let gone: Vec<Scope> = self.sites.difference(sites).copied().collect();
        if !gone.is_empty() {
            let seen = |scope: Scope| scope == HOSPITAL || sites.contains(&scope);
            // A fill that was broken off may have brought records before their patients.
            let unseen = |root: &Uuid| self.store.scope_of(*root).is_none_or(|scope| !seen(scope));
            let roots: BTreeSet<Uuid> =
                self.store.rows.keys().filter_map(|id| self.store.root_of(*id)).collect();
            roots
                .into_iter()
                .filter(unseen)
                .collect::<Vec<Uuid>>()
                .into_iter()
                .for_each(|root| sure(self.store.remove_root(root, false)));
        }
        for scope in gone {
            self.store.cursors.remove(&scope);
            self.filling.remove(&scope);
        }
        for scope in sites.difference(&self.sites) {
            self.filling.insert(*scope, (0, None));
        }
        self.sites.clone_from(sites);
    }

    /// Takes pages of what is to be filled, so many at most: a fill goes on where it stood. Answers whether
    /// the desk may ask now. A server that was restored is asked first: its word on the epoch comes before
    /// its records.
    pub fn fill(&mut self, server: &Server, pages: usize, limit: usize) -> bool {
        let epoch = self.store.epochs.last().map_or(0, |start| start.epoch);
        if epoch != server.epoch() {
            self.filling.values_mut().for_each(|place| *place = (0, None));
            return true;
        }
        for _ in 0..pages {
            let Some((scope, (first, after))) = self.filling.first_key_value().map(|(s, p)| (*s, p.clone()))
            else {
                return true;
            };
            let page = server.snapshot(scope, after.as_ref(), limit);
            page.records.iter().for_each(|record| sure(merge_record(&mut self.store, record, None)));
            let first = if after.is_none() { page.head } else { first };
            if page.next.is_some() {
                self.filling.insert(scope, (first, page.next));
            } else {
                self.filling.remove(&scope);
                sure(self.store.set_cursor(scope, first));
            }
        }
        self.filling.is_empty()
    }
}

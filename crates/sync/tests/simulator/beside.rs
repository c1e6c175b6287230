//! What happens beside the network's and the machines' misfortunes: patients are erased, PCs get lost,
//! desks get other sites, programs are upgraded.

use aftercare_sync::entities;
use rand::Rng;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::people::site;
use crate::world::World;

impl World {
    /// Once in a while something happens.
    pub(crate) fn happen_beside(&mut self) {
        let Some(mut rng) = self.beside.take() else { return };
        let desk = rng.random_range(0..self.desks.len());
        match rng.random_range(0..1000) {
            0..12 => self.erase(&mut rng),
            12..22 => self.change_sites(desk, &mut rng),
            22..25 => self.shut_out(desk, rng.random_bool(0.4)),
            25..30 => self.let_in(desk),
            30..36 => self.desks[desk].upgrade(self.switches),
            _ => {}
        }
        self.beside = Some(rng);
    }

    /// One of two persons asks for an erasure; mostly both do.
    fn erase(&mut self, rng: &mut StdRng) {
        let patients = self.server.records.keys().filter(|key| key.entity == entities::PATIENT.table);
        let patients: Vec<Uuid> = patients.map(|key| key.id).collect();
        if patients.is_empty() {
            return;
        }
        let patient = patients[rng.random_range(0..patients.len())];
        for _ in 0..2 {
            let users = &self.desks[0].users;
            let by = users[rng.random_range(0..users.len())];
            if self.server.erase(patient, by) {
                self.ledger.erased.insert(patient);
                return;
            }
        }
    }

    fn change_sites(&mut self, desk: usize, rng: &mut StdRng) {
        if let Some(device) = self.server.devices.get_mut(&self.desks[desk].store.device) {
            let one = site(rng.random_range(0..3));
            if !device.sites.remove(&one) {
                device.sites.insert(one);
            }
        }
    }

    fn shut_out(&mut self, desk: usize, wipe: bool) {
        // The first desk brought the people along; somebody has to stay.
        if desk > 0 {
            self.server.shut_out(self.desks[desk].store.device, wipe);
        }
    }

    /// What was to be wiped may be anybody's; the others can come back.
    pub(crate) fn let_in(&mut self, desk: usize) {
        let device = self.desks[desk].store.device;
        if self.server.shut_out.get(&device).is_some_and(|(_, wipe)| !wipe) {
            self.ledger.faults.extend(self.server.intruders());
            self.server.shut_out.remove(&device);
        }
    }

    /// Before it all comes to rest every program is upgraded.
    pub(crate) fn upgrade_all(&mut self) {
        let switches = self.switches;
        self.desks.iter_mut().for_each(|desk| desk.upgrade(switches));
    }
}

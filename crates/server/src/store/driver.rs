//! What the two databases do differently: how a transaction is begun, ended and tried again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use uuid::Uuid;

use super::crowd::Crowd;
use super::push::{Push, Taken, take_all};
use super::tx::Tx;
use super::{Result, StoreError};

/// Work within a transaction that answers later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A database that holds tenants apart.
///
/// A job may be run again when the database asks for it, so it keeps nothing but what it answers.
pub trait Driver: Send + Sync + 'static {
    /// Runs a job in a transaction that writes; commits when it answers `Ok`. The answer comes after
    /// the commit is durable.
    fn write<T, J>(&self, tenant: Uuid, job: J) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static;

    /// Runs a job over one consistent state of the tenant's data.
    fn read<T, J>(&self, tenant: Uuid, job: J) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        J: for<'a> Fn(&'a mut Tx) -> Later<'a, T> + Send + Sync + 'static;

    /// Takes a desk's word in; a driver may take several in together. To each its own answer, whatever
    /// becomes of the others.
    fn push(&self, tenant: Uuid, push: Push) -> impl Future<Output = Result<Taken>> + Send {
        async move {
            let pushes = Arc::new(vec![push]);
            let taken = self
                .write(tenant, move |tx| {
                    let pushes = Arc::clone(&pushes);
                    Box::pin(async move { take_all(tx, &pushes).await })
                })
                .await?;
            taken.into_iter().next().unwrap_or(Err(StoreError::Database("form".into())))
        }
    }

    /// Who pushes at this process.
    fn crowd(&self) -> &Crowd;

    /// Makes room for a tenant; nothing when there is room already.
    fn make_room(&self, tenant: Uuid) -> impl Future<Output = Result<()>> + Send;

    /// Takes what was deleted out of the database's log too, where that is a file beside it.
    fn scrub(&self, tenant: Uuid) -> impl Future<Output = Result<()>> + Send;

    /// Deletes everything of a tenant.
    fn clear_room(&self, tenant: Uuid) -> impl Future<Output = Result<()>> + Send;
}

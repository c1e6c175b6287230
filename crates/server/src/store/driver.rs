//! What the two databases do differently: how a transaction is begun, ended and tried again.

use std::future::Future;
use std::pin::Pin;

use uuid::Uuid;

use super::Result;
use super::tx::Tx;

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

    /// Makes room for a tenant; nothing when there is room already.
    fn make_room(&self, tenant: Uuid) -> impl Future<Output = Result<()>> + Send;

    /// Deletes everything of a tenant.
    fn clear_room(&self, tenant: Uuid) -> impl Future<Output = Result<()>> + Send;
}

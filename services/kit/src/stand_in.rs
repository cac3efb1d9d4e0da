//! What stand-ins for a roster have in common, which answer in its place in tests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// Answers at a port of its own, whose address it returns, as long as the process lives.
///
/// # Errors
/// When there is no port.
pub(crate) async fn serve(routes: Routes) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let server = Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Ok(address)
}

/// Refuses every call while it is down.
pub(crate) fn up(down: &AtomicBool) -> Result<(), Status> {
    if down.load(Ordering::SeqCst) {
        return Err(Status::unavailable("down"));
    }
    Ok(())
}

/// Refuses a call that does not say whose it is.
pub(crate) fn signed<T>(request: &Request<T>) -> Result<(), Status> {
    if !request.metadata().contains_key("authorization") {
        return Err(Status::unauthenticated("no token"));
    }
    Ok(())
}

/// The answer to what no test asks.
pub(crate) fn unasked<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("nobody asks for it here"))
}

/// What was said or heard, also after a test that failed.
pub(crate) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

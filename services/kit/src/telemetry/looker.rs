//! Reads what a service tells operators, for tests of what rises and falls there.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How often the page is read until it says what it should, and how long nobody does in between.
const LOOKS: u32 = 600;
const BETWEEN: Duration = Duration::from_millis(50);

/// Looks at the page of a service.
#[derive(Clone, Copy, Debug)]
pub struct Looker(SocketAddr);

impl Looker {
    /// Looks at the page that is at this address.
    pub fn at(page: SocketAddr) -> Self {
        Self(page)
    }

    /// The whole page.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn page(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.0).await?;
        let ask = b"GET /metrics HTTP/1.1\r\nhost: campus\r\n\r\n";
        stream.write_all(ask).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// The value of the first series of this name with this label, written as the page does; none where there is
    /// none.
    pub async fn value(&self, name: &str, label: &str) -> Option<f64> {
        let page = self.page().await.ok()?;
        let begin = format!("{name}{{");
        let mut lines = page.lines();
        let line = lines.find(|line| line.starts_with(&begin) && line.contains(label));
        line?.rsplit_once(' ')?.1.parse().ok()
    }

    /// Waits until the value of a series is as it should be, and gives it.
    ///
    /// # Panics
    /// When it is not within half a minute.
    pub async fn until(&self, name: &str, label: &str, is_right: impl Fn(f64) -> bool) -> f64 {
        let mut last = None;
        for _ in 0..LOOKS {
            last = self.value(name, label).await;
            if let Some(value) = last.filter(|value| is_right(*value)) {
                return value;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        panic!("{name} with {label} stays at {last:?}");
    }

    /// Waits until each of these series, by name and label, has its value.
    ///
    /// # Panics
    /// When one has not within half a minute.
    pub async fn all(&self, expected: &[(&str, &str, f64)]) {
        for (name, label, wanted) in expected {
            let is_right = |value: f64| (value - wanted).abs() < f64::EPSILON;
            self.until(name, label, is_right).await;
        }
    }
}

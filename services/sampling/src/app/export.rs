//! Streams the publication of a day.

use kit::auth::{Caller, Permission};
use proto::sampling::publication_record::Record;
use proto::sampling::{PublicationHeader, PublicationSeal};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::App;
use crate::domain::commitment::seal;
use crate::domain::day::Day;
use crate::domain::plan::PlanId;
use crate::error::Error;
use crate::publication::records::{frame, frame_group};
use crate::publication::verify::FORMAT;
use crate::store::draws::{self, DrawRow, Filter};

/// Bytes of one message.
const CHUNK: usize = 256 << 10;
/// Draws read at once.
const PAGE: u64 = 100;

/// Bytes on their way out.
#[derive(Debug)]
struct File {
    hash: Sha256,
    buffer: Vec<u8>,
    sender: mpsc::Sender<Result<Vec<u8>, Error>>,
}

/// Nobody listens any more.
struct Gone;

impl File {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.hash.update(bytes);
        self.buffer.extend(bytes);
        while self.buffer.len() >= CHUNK {
            let rest = self.buffer.split_off(CHUNK);
            let chunk = std::mem::replace(&mut self.buffer, rest);
            self.sender.send(Ok(chunk)).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    async fn end(self) {
        // Whoever asked may be gone.
        let _ = self.sender.send(Ok(self.buffer)).await;
    }
}

impl App {
    /// Streams the closed draws of a plan and day below an organisation.
    pub(crate) async fn export(
        &self,
        caller: &Caller,
        plan: &PlanId,
        organization: &str,
        day: Day,
    ) -> Result<mpsc::Receiver<Result<Vec<u8>, Error>>, Error> {
        let place = self
            .place(caller, Permission::DrawRead, organization)
            .await?;
        let (sender, receiver) = mpsc::channel(4);
        let file = File {
            hash: Sha256::new(),
            buffer: Vec::with_capacity(CHUNK),
            sender,
        };
        let (app, plan, place) = (self.clone(), plan.clone(), place.to_string());
        tokio::spawn(async move {
            let sender = file.sender.clone();
            if let Err(err) = app.write_file(file, &plan, &place, day).await {
                // Whoever asked may be gone.
                let _ = sender.send(Err(err)).await;
            }
        });
        Ok(receiver)
    }

    async fn write_file(
        &self,
        mut file: File,
        plan: &PlanId,
        place: &str,
        day: Day,
    ) -> Result<(), Error> {
        let header = PublicationHeader {
            format: FORMAT.0.to_owned(),
            version: FORMAT.1,
            plan: plan.as_str().to_owned(),
            day: u32::from(day.number()),
            org_path: place.to_owned(),
        };
        if file.write(&frame(Record::Header(header))).await.is_err() {
            return Ok(());
        }
        let mut count = 0;
        let mut after = String::new();
        loop {
            let filter = Filter {
                place,
                day,
                plan: Some(plan),
                closed: true,
                after: Some((&after, plan.as_str())),
                limit: PAGE,
            };
            let page = draws::list(self.db.read(), &filter).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.org_path);
            for draw in &page {
                if self.write_draw(&mut file, draw).await?.is_err() {
                    return Ok(());
                }
                count += 1;
            }
        }
        let digest = file.hash.clone().finalize().into();
        let signature = self.signer.sign(&seal(count, &digest));
        let last = PublicationSeal {
            draw_count: count,
            digest: digest.to_vec().into(),
            signature: signature.to_vec().into(),
        };
        if file.write(&frame(Record::Seal(last))).await.is_ok() {
            file.end().await;
        }
        Ok(())
    }

    async fn write_draw(&self, file: &mut File, draw: &DrawRow) -> Result<Result<(), Gone>, Error> {
        let Some(closing) = draw.closing.clone() else {
            return Ok(Ok(()));
        };
        let mut bytes = frame(Record::Draw(draw.record.clone()));
        for (_, group) in draws::groups(self.db.read(), &draw.id, "", u64::MAX >> 1).await? {
            bytes.extend(frame_group(&group));
        }
        for replacement in draws::replacements(self.db.read(), &draw.id).await? {
            bytes.extend(frame(Record::Replacement(replacement)));
        }
        bytes.extend(frame(Record::Closing(closing)));
        Ok(file.write(&bytes).await)
    }
}

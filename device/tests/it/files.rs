use crate::bench::Bench;
use rstest::rstest;
use tokio::io::AsyncReadExt;

#[tokio::test(start_paused = true)]
async fn directories_are_walked() {
    let mut bench = Bench::new();
    bench.ok("AT+FSCD=?").await;
    bench.says("AT+FSCD?", &["+FSCD: C:/", "OK"]).await;
    bench
        .says("AT+FSCD=C:/Picture", &["+FSCD: C:/Picture/", "OK"])
        .await;
    bench.says("AT+FSCD?", &["+FSCD: C:/Picture/", "OK"]).await;
    bench.says("AT+FSCD=..", &["+FSCD: C:/", "OK"]).await;
    bench.says("AT+FSCD=..", &["+FSCD: C:/", "OK"]).await;
    bench
        .says("AT+FSCD=Picture/", &["+FSCD: C:/Picture/", "OK"])
        .await;
    bench.says("AT+FSCD=C:", &["+FSCD: C:/", "OK"]).await;
    bench.error("AT+FSCD=Nowhere").await;
    bench.error("AT+FSCD=file1.txt").await;
    bench.error("AT+FSCD=D:/Email").await;
    bench.error("AT+FSCD=E:/").await;
    bench.error("AT+FSCD=/etc").await;
    bench.error("AT+FSCD").await;
}

#[tokio::test(start_paused = true)]
async fn listings_have_a_block_for_each_kind_that_there_is() {
    let mut bench = Bench::new();
    let files: String =
        "big.bin file1.txt file10.txt file2.txt file3.txt file4.txt file5.txt file6.txt \
                         file7.txt file8.txt file9.txt"
            .replace(' ', "\n");
    let files = format!("+FSLS: FILES:\n{files}");
    let directories = "+FSLS: SUBDIRECTORIES:\nPicture";
    bench.says("AT+FSLS", &[directories, &files, "OK"]).await;
    bench.says("AT+FSLS=0", &[directories, &files, "OK"]).await;
    bench.says("AT+FSLS=1", &[directories, "OK"]).await;
    bench.says("AT+FSLS=2", &[&files, "OK"]).await;
    bench.error("AT+FSLS=3").await;
    bench.says("AT+FSLS=?", &["+FSLS: (0-2)", "OK"]).await;
    bench
        .says("AT+FSLS?", &["+FSLS: SUBDIRECTORIES: 1, FILES: 11", "OK"])
        .await;
    bench.ok("AT+FSMKDIR=Empty").await;
    bench
        .says("AT+FSCD=Empty", &["+FSCD: C:/Empty/", "OK"])
        .await;
    bench.ok("AT+FSLS").await;
}

#[tokio::test(start_paused = true)]
async fn files_are_made_renamed_and_deleted() {
    let mut bench = Bench::new();
    bench.ok("AT+FSMKDIR= SIMTech").await;
    bench.error("AT+FSMKDIR=SIMTech").await;
    bench.error("AT+FSMKDIR=no/where").await;
    bench
        .says("AT+FSCD=SIMTech", &["+FSCD: C:/SIMTech/", "OK"])
        .await;
    bench.error("AT+FSRMDIR=C:/SIMTech").await;
    bench.says("AT+FSCD=C:", &["+FSCD: C:/", "OK"]).await;
    bench.ok("AT+FSRENAME=file1.txt,renamed.txt").await;
    bench.error("AT+FSRENAME=file1.txt,again.txt").await;
    bench.error("AT+FSRENAME=file2.txt,file3.txt").await;
    bench.error("AT+FSRENAME=file2.txt,../x").await;
    let attributes = "+FSATTRI: 63, 2010/02/02 11:04:00 Tue";
    bench
        .says("AT+FSATTRI=renamed.txt", &[attributes, "OK"])
        .await;
    bench.error("AT+FSATTRI=file1.txt").await;
    bench.ok("AT+FSRMDIR=SIMTech").await;
    bench.error("AT+FSRMDIR=SIMTech").await;
    bench.error("AT+FSRMDIR=Picture").await;
    bench.ok("AT+FSDEL=renamed.txt").await;
    bench.error("AT+FSDEL=renamed.txt").await;
    bench.error("AT+FSDEL=Picture").await;
    bench.ok("AT+FSDEL=*.*").await;
    bench
        .says("AT+FSLS", &["+FSLS: SUBDIRECTORIES:\nPicture", "OK"])
        .await;
}

#[rstest]
#[case("../../../etc/x")]
#[case("/tmp/x")]
#[case("E:/x")]
#[case("D:C:/x")]
#[case("C:/a:b")]
#[case("a\\b")]
#[case("CON")]
#[case("nul.txt")]
#[case(".hidden")]
#[case("a.")]
#[case("a*")]
#[case("")]
#[tokio::test(start_paused = true)]
async fn no_name_leaves_the_drive(#[case] name: &str) {
    let mut bench = Bench::new();
    let made = name.starts_with("..");
    bench.error(&format!("AT+FSMKDIR={name}")).await;
    bench.error(&format!("AT+FSDEL={name}")).await;
    bench
        .error(&format!("AT+CFTRANTX=\"{}\"", name.replace('\\', "\\5C")))
        .await;
    assert!(!made || !std::path::Path::new("/etc/x").exists());
}

#[tokio::test(start_paused = true)]
async fn a_name_of_254_characters_is_too_long() {
    let mut bench = Bench::new();
    bench
        .error(&format!("AT+FSMKDIR={}", "a".repeat(254)))
        .await;
    bench.ok(&format!("AT+FSMKDIR={}", "a".repeat(200))).await;
    bench
        .error(&format!(
            "AT+FSMKDIR={}/{}",
            "a".repeat(200),
            "b".repeat(100)
        ))
        .await;
}

#[tokio::test(start_paused = true)]
async fn files_are_sent_and_received() {
    let mut bench = Bench::with(&[]);
    bench.dte.send("AT+CFTRANRX=\"C:/up.bin\",6\r").await;
    bench.dte.expect("AT+CFTRANRX=\"C:/up.bin\",6\r\r\n>").await;
    // Octets are neither echoed nor edited nor ended.
    bench.dte.send(b"\x1a\x08\r\n\x1bZ").await;
    bench.expect("upload", &["OK"]).await;
    bench.dte.send("ATE0\r").await;
    bench.dte.expect("ATE0\r\r\nOK\r\n").await;
    bench.dte.send("AT+CFTRANTX=\"C:/up.bin\"\r").await;
    let content = "\r\n+CFTRANTX: DATA,6\r\n\x1a\x08\r\n\x1bZ\r\n+CFTRANTX: 0\r\n\r\nOK\r\n";
    bench.dte.expect(content).await;
    // A file that is there already is replaced.
    bench.dte.send("AT+CFTRANRX=\"C:/up.bin\",2\r").await;
    bench.dte.expect("\r\n>").await;
    bench.dte.send("ab").await;
    bench.expect("upload", &["OK"]).await;
    bench
        .says(
            "AT+FSATTRI=up.bin",
            &["+FSATTRI: 2, 2010/02/02 11:04:00 Tue", "OK"],
        )
        .await;
    bench.error("AT+CFTRANRX=\"C:/up.bin\"").await;
    bench.error("AT+CFTRANRX=\"C:/up.bin\",0").await;
    bench.error("AT+CFTRANRX=\"C:/no/where\",1").await;
    bench.error("AT+CFTRANTX=\"C:/Picture\"").await;
    bench.error("AT+CFTRANTX=\"C:/\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_full_drive_refuses() {
    let mut bench = Bench::with(&["echo=off", "storage=100", "storage.factory-files=off"]);
    bench.says("AT+FSMEM", &["+FSMEM: C:(100, 0)", "OK"]).await;
    bench.error("AT+CFTRANRX=\"C:/a\",101").await;
    bench.dte.send("AT+CFTRANRX=\"C:/a\",60\r").await;
    bench.dte.expect("\r\n>").await;
    bench.dte.send("x".repeat(60)).await;
    bench.expect("upload", &["OK"]).await;
    bench.says("AT+FSMEM", &["+FSMEM: C:(100, 92)", "OK"]).await;
    bench.error("AT+FSMKDIR=b").await;
}

#[tokio::test(start_paused = true)]
async fn mails_are_kept_where_they_are_wanted_until_reboot() {
    let mut bench = Bench::new();
    bench.says("AT+FSLOCA=?", &["+FSLOCA: (0,1)", "OK"]).await;
    bench.says("AT+FSLOCA?", &["+FSLOCA: 0", "OK"]).await;
    bench.ok("AT+FSLOCA=1").await;
    bench.error("AT+FSLOCA=2").await;
    bench.error("AT+FSLOCA=").await;
    bench.says("AT+FSLOCA?", &["+FSLOCA: 1", "OK"]).await;
    bench.says("AT+FSCD=D:", &["+FSCD: D:/", "OK"]).await;
    bench.reattach(|module| module.power_cycle()).await;
    // The echo is off by setting, the rest as after the first power-up.
    bench.says("AT+FSLOCA?", &["+FSLOCA: 0", "OK"]).await;
    bench.says("AT+FSCD?", &["+FSCD: C:/", "OK"]).await;
}

#[rstest]
#[case("storage.card=off")]
#[case("storage.card=0")]
#[tokio::test(start_paused = true)]
async fn without_a_card_mails_are_kept_on_the_only_drive(#[case] no_card: &str) {
    let mut bench = Bench::with(&["echo=off", no_card]);
    bench.says("AT+FSLOCA=?", &["+FSLOCA: (0)", "OK"]).await;
    bench.ok("AT+FSLOCA=0").await;
    bench.error("AT+FSLOCA=1").await;
    bench.says("AT+FSLOCA?", &["+FSLOCA: 0", "OK"]).await;
    bench.error("AT+FSCD=D:").await;
    bench.error("AT+FSMKDIR=D:/x").await;
    bench.error("AT+CFTRANRX=\"D:/x\",1").await;
}

#[tokio::test(start_paused = true)]
async fn every_file_command_works_on_the_card() {
    let mut bench = Bench::with(&["echo=off", "storage.card=1000"]);
    bench.says("AT+FSCD=D:", &["+FSCD: D:/", "OK"]).await;
    bench.says("AT+FSMEM", &["+FSMEM: D:(1000, 0)", "OK"]).await;
    bench.ok("AT+FSLS").await;
    bench.ok("AT+FSMKDIR=Own").await;
    bench.says("AT+FSCD=Own", &["+FSCD: D:/Own/", "OK"]).await;
    bench.dte.send("AT+CFTRANRX=\"D:/Own/up.txt\",5\r").await;
    bench.dte.expect("\r\n>").await;
    bench.dte.send("hello").await;
    bench.expect("upload", &["OK"]).await;
    bench
        .says("AT+FSMEM", &["+FSMEM: D:(1000, 69)", "OK"])
        .await;
    bench.ok("AT+FSRENAME=up.txt,down.txt").await;
    bench
        .says("AT+FSLS", &["+FSLS: FILES:\ndown.txt", "OK"])
        .await;
    let attributes = "+FSATTRI: 5, 2010/02/02 11:04:00 Tue";
    bench
        .says("AT+FSATTRI=D:/Own/down.txt", &[attributes, "OK"])
        .await;
    bench.ok("AT+SMTPFILE=1,\"down.txt\"").await;
    let selected = "+SMTPFILE: 1, \"D:/Own/down.txt\", 5";
    bench.says("AT+SMTPFILE?", &[selected, "OK"]).await;
    bench.error("AT+FSRMDIR=D:/Own").await;
    bench.error("AT+FSDEL=C:/Own/down.txt").await;
    bench.says("AT+FSCD=..", &["+FSCD: D:/", "OK"]).await;
    bench.says("AT+FSCD=..", &["+FSCD: D:/", "OK"]).await;
    // A directory of that name on the other drive is another one.
    bench.says("AT+FSCD=C:", &["+FSCD: C:/", "OK"]).await;
    bench.error("AT+FSCD=Own").await;
    bench.error("AT+FSRMDIR=D:/Own").await;
    bench.ok("AT+FSDEL=D:/Own/down.txt").await;
    bench.ok("AT+FSRMDIR=D:/Own").await;
    bench.error("AT+CFTRANRX=\"D:/large\",1001").await;
}

#[tokio::test(start_paused = true)]
async fn a_card_can_be_pulled_out_and_put_back() {
    let mut bench = Bench::new();
    bench.ok("AT+FSMKDIR=D:/Own").await;
    bench
        .says("AT+FSCD=D:/Own", &["+FSCD: D:/Own/", "OK"])
        .await;
    bench.reattach(|module| module.pull_card()).await;
    bench.error("AT+FSLS").await;
    bench.error("AT+FSMEM").await;
    bench.error("AT+FSLOCA=1").await;
    bench.error("AT+FSCD=D:").await;
    bench.says("AT+FSCD=C:", &["+FSCD: C:/", "OK"]).await;
    bench.reattach(|module| module.insert_card()).await;
    bench
        .says("AT+FSCD=D:/Own", &["+FSCD: D:/Own/", "OK"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_module_is_delivered_with_ten_megabytes_and_little_room() {
    let mut bench = Bench::new();
    let attributes = "+FSATTRI: 10485760, 2010/02/02 11:04:00 Tue";
    bench.says("AT+FSATTRI=big.bin", &[attributes, "OK"]).await;
    bench
        .says("AT+FSMEM", &["+FSMEM: C:(12582912, 10526421)", "OK"])
        .await;
    bench.error("AT+CFTRANRX=\"C:/large\",2097152").await;
    bench.ok("AT+FSDEL=big.bin").await;
    bench
        .says("AT+FSMEM", &["+FSMEM: C:(12582912, 40629)", "OK"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_free_at_first_can_be_chosen() {
    let mut bench = Bench::with(&["echo=off", "storage.free=2MiB"]);
    bench
        .says("AT+FSMEM", &["+FSMEM: C:(12623573, 10526421)", "OK"])
        .await;
    let mut bench = Bench::with(&["echo=off", "storage.free=100", "storage.big-file=off"]);
    bench
        .says("AT+FSMEM", &["+FSMEM: C:(40729, 40629)", "OK"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_large_file_is_sent_in_blocks_as_the_dte_takes_them() {
    let drive = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..1_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    std::fs::write(drive.path().join("large.bin"), &content).unwrap();
    let root = format!("storage.root={}", drive.path().display());
    let mut bench = Bench::with(&["echo=off", &root]);
    bench
        .dte
        .send("AT+CFTRANTX=\"C:/large.bin\";+CSQ\rAT\r")
        .await;
    let mut received = Vec::new();
    loop {
        bench.dte.expect("\r\n+CFTRANTX: ").await;
        let head = bench.dte.until("\r\n").await;
        let Some(length) = head.trim_end().strip_prefix("DATA,") else {
            assert_eq!(head, "0\r\n");
            break;
        };
        let mut block = vec![0; length.parse().unwrap()];
        bench.dte.stream.read_exact(&mut block).await.unwrap();
        received.extend(block);
    }
    assert!(received == content);
    bench.expect("the file", &["+CSQ: 21,99", "OK", "OK"]).await;
}
